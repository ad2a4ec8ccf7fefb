"""Attention in one pass over the keys: scores never leave the cache.

A block of queries goes through the keys block by block. It knows the largest score so far
and sums of weights and of weighted values in proportion to it; where a later block has a
larger score, the sums shrink. So a result depends on its own query, on the keys and values
and on where blocks of keys end, and on nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxc.errors import InternalError
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.types import DType
from lxc.passes.attention_memory import (
    FEWEST,
    KEYS,
    TALL,
    HeadSizes,
    attention_memory,
    head_sizes,
    known,
    query_blocks,
)
from lxc.passes.nodes import attributes_of
from lxc.targets.kernels.attention.block import (
    F32,
    Attention,
    Block,
    Keys,
    Tile,
    bring_keys,
    clear_sums,
    fetch_ahead,
    named,
)
from lxc.targets.kernels.attention.reach import walk_keys
from lxc.targets.kernels.attention.scores import folded, score, weigh
from lxc.targets.kernels.attention.values import add_values
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.group import Group
from lxc.targets.kernels.place import Place, unravel
from lxc.targets.kernels.sizes import covering_parts, index_of, product
from lxc.targets.kernels.split import vectors
from lxc.targets.kernels.strided import strided
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import (
    Buffer,
    Index,
    at_least,
    at_most,
    constant,
    divide,
    load,
)

Coordinates = tuple[Index, ...]


@dataclass(frozen=True)
class Finish:
    """What follows the attention in its kernel, and where the result goes."""

    source: Source
    group: Group
    node: Node
    result: Buffer


def write_attention(
    writer: Writer,
    source: Source,
    group: Group,
    node: Node,
    result: Buffer,
    machine: Machine,
    parallel: bool,
) -> str:
    """Write the kernel of an attention node; return the name of the algorithm."""
    if node.operands[0].type.dtype is not DType.F32:
        raise InternalError("code generation", "attention by blocks is float32")
    sizes = head_sizes(*(operand.type for operand in node.operands[:3]))
    blocks, rows = query_blocks(sizes.queries * sizes.shared)
    rows = max(1, rows)
    work = attention_of(writer, source, node, sizes, rows, machine)
    outer = [index_of(entry, writer.dims) for entry in (*sizes.batch, sizes.groups, blocks)]
    places, room = map(known, node.operands[3].type.shape)
    if room < work.parts.total:
        raise InternalError("code generation", f"attention needs {work.parts.total} cells")
    after = Finish(source, group, node, result)

    def one(number: Index, place: Index) -> None:
        *at, block_number = unravelled(writer, number, outer)
        block = block_at(work, tuple(at), block_number * rows, rows, place * room)
        write_block(block)
        finish_block(block, tuple(at), after)

    write_places(writer, product(outer), places if parallel else 1, one)
    return "attention by blocks"


def attention_of(
    writer: Writer,
    source: Source,
    node: Node,
    sizes: HeadSizes,
    rows: int,
    machine: Machine,
) -> Attention:
    """Return what the blocks of a node share."""
    query, key, value, memory, *masks = node.operands
    facts = attributes_of(node)
    return Attention(
        writer,
        machine,
        attention_memory(sizes.size, sizes.width, rows, machine),
        source.buffers[memory],
        strided(source, query, writer.dims),
        strided(source, key, writer.dims),
        strided(source, value, writer.dims),
        tuple(strided(source, mask, writer.dims) for mask in masks),
        sizes.size,
        sizes.width,
        sizes.shared,
        index_of(sizes.queries, writer.dims),
        index_of(sizes.keys, writer.dims),
        facts["scale"],
        facts["hidden"],
        facts["causal"],
        index_of(facts["offset"], writer.dims),
    )


def unravelled(writer: Writer, number: Index, shape: Sequence[Index]) -> Coordinates:
    """Return the coordinates of an element by its number in C order, each a variable."""
    found = unravel(number, shape)
    return tuple(
        writer.name(entry, extent) for entry, extent in zip(found, shape, strict=True)
    )


def write_places(
    writer: Writer, count: Index, places: int, body: Callable[[Index, Index], None]
) -> None:
    """Write `body` for `count` numbers and the place in memory that each works in.

    Numbers that have places of their own run in parallel.
    """
    if places == 1 or (isinstance(count, int) and count <= places):
        with writer.loop(count, parallel=places > 1) as number:
            body(number, number if places > 1 else 0)
        return
    with (
        writer.loop(places, parallel=True) as place,
        writer.loop(covering_parts(count - place, places)) as turn,
    ):
        body(writer.name(place + turn * places, count), place)


def block_at(
    work: Attention, at: Coordinates, first: Index, rows: int, place: Index
) -> Block:
    """Return the block of rows from `first` on, of the group of heads at coordinates."""
    writer = work.writer
    *batch, group = at
    heads = (*batch, group * work.shared)
    total = work.queries * work.shared
    if isinstance(total, int) and total % rows == 0:
        count: Index = rows
    else:
        count = writer.name(at_most(total - first, rows), rows + 1)
    return Block(
        work,
        place,
        first,
        count,
        named(writer, work.query.position(*heads)),
        named(writer, work.key.position(*at)),
        named(writer, work.value.position(*at)),
        tuple(named(writer, mask.position(*heads)) for mask in work.masks),
    )


def write_block(block: Block) -> None:
    """Write the sums of a block of rows over all keys."""
    writer, keys_of_all = block.work.writer, block.work.keys
    tall, single = tiles_of(block)
    clear_sums(block, tall * TALL + single)
    is_long = not isinstance(keys_of_all, int) or keys_of_all > KEYS
    has_tall = not isinstance(tall, int) or tall > 0

    def through(keys: Keys, one: Callable[[Tile], None]) -> None:
        bring_keys(block, keys)
        if has_tall:
            with writer.loop(tall) as number:
                if is_long:
                    fetch_ahead(block, keys, number, tall)
                one(Tile(block, keys, number * TALL, TALL))
        with writer.loop(single) as number:
            one(Tile(block, keys, tall * TALL + number, 1))

    walk_keys(block, through, write_tile)


def tiles_of(block: Block) -> tuple[Index, Index]:
    """Return how many tiles of several rows a block has, and of a single one behind."""
    if isinstance(block.rows, int):
        tall = (block.rows + TALL - FEWEST) // TALL
        return tall, max(0, block.rows - tall * TALL)
    writer = block.work.writer
    some = writer.name(divide(block.rows + (TALL - FEWEST), TALL), block.rows + 1)
    return some, writer.name(at_least(block.rows - some * TALL, 0), FEWEST)


def write_tile(tile: Tile) -> None:
    """Write what a block of keys adds to a tile."""
    score(tile)
    add_values(tile, weigh(tile))


def finish_block(block: Block, at: Coordinates, after: Finish) -> None:
    """Write the results of a block, divided by the sum of weights, and what follows."""
    work = block.work
    writer, lanes = work.writer, work.lanes
    lane = writer.lane(lanes)
    *batch, group = at
    with writer.loop(block.rows) as row:
        head, query = block.head_and_query(row)
        head = group * work.shared + head
        total = writer.array(F32, lanes)
        start = block.place + work.parts.sums + row * lanes
        writer.store(total, lane, load(work.memory, start + lane), lanes)
        whole = folded(writer, total, lanes, lambda x, y: x + y)
        part = writer.hold(constant(1.0, F32) / whole, F32, 1)
        first_queries = attributes_of(after.node)["queries_first"]
        order = (query, head) if first_queries else (head, query)
        results = block.place + work.parts.results + row * work.width
        for piece in vectors(0, work.width, work.machine.lanes):
            with writer.loop(piece.count) as number:
                inner = piece.start + number * piece.size + writer.lane(piece.size)
                element = load(work.memory, results + inner) * part
                finish_vector(writer, after, (*batch, *order, inner), element, piece.size)


def finish_vector(
    writer: Writer, after: Finish, at: Coordinates, element: object, width: int
) -> None:
    """Write what follows one vector of results, and the store."""
    elements = Elements(writer, after.source, width)
    node, group = after.node, after.group
    shape = [index_of(entry, writer.dims) for entry in node.result.type.shape]
    place = Place(shape, at)
    elements.known[node.result, place] = elements.hold(element, F32)
    found = elements.at(group.stored, place)
    elements.save(after.result, place.position, found, group.stored.type.dtype)
