"""Which loops the blocks of a grid compute together, each some units of every step.

A block keeps its columns of the weights from the first step to the last. What products of
later steps read of all units goes through memory, and a barrier of the grid stands between.

Such a loop takes, by arithmetic for a card like the H100, one barrier of 1.5 to 2
microseconds for each step, and for every four rows a chain of 256 multiply-adds of 4 cycles
each, 0.6 microseconds, with as much again for bringing the rows. As launches, a step of an
LSTM is three of 1.5 microseconds each within a graph, and its product waits for 4 MiB of
weights out of the L2 cache if there are 512 units; but more rows cost it next to nothing.
So blocks share a loop for up to `MOST_ROWS` rows. None of that was measured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import gcd

from lxc.ir.dim import Size, bounds
from lxc.ir.node import Node, Value
from lxc.ir.types import DType
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.cuda.templates.products.units import SPLIT
from lxc.targets.cuda.templates.recurrence.grid.reads import across_units
from lxc.targets.cuda.templates.recurrence.memory import (
    MOST_REGISTERS,
    MOST_SHARED,
    OTHER_REGISTERS,
    ROW_REGISTERS,
    TERMS,
    StepProduct,
    carries_of,
)
from lxc.targets.cuda.templates.recurrence.steps import StepFacts, step_facts
from lxc.targets.kernels.storage import stored

THREADS = 128
"""Threads of a block. A multiprocessor has registers for two blocks whose threads have all
that a thread may have."""
MOST_BLOCKS = 128
"""More blocks than that do not fit on most cards at once."""
MOST_ROWS = 8
"""For more rows, launches of the kernels of a step take no longer."""
PRODUCT_REGISTERS = 28
"""Registers that a thread needs for each product but the first."""
PADDED_REGISTERS = 56
"""Registers that it needs for all of that where the last chain of a column is shorter."""
PASS_ROWS = 4
"""A weight is read once for so many rows."""


@dataclass(frozen=True)
class ChainProduct:
    """A product in a step, of which a thread computes one chain for one column.

    There are so many `chains` of so many `terms`, the last of which may be filled up with
    zeros. A block has so many `columns`. Of the terms of a thread, `held` are in registers.
    """

    product: StepProduct
    chains: int
    terms: int
    columns: int
    held: int

    @property
    def pairs(self) -> int:
        """How many threads compute."""
        return self.chains * self.columns

    @property
    def width(self) -> int:
        """How long a row is with the zeros that fill it up."""
        return self.chains * self.terms


@dataclass(frozen=True)
class GridLoop:
    """A loop of `units` units, of which each of `blocks` blocks has a `share`.

    A call may have up to `most_rows` rows, which are taken `pass_rows` at a time.
    `exchanged` are the carries and the values of a step that products read. `across` are
    those that the product in a kernel reads.
    """

    facts: StepFacts
    units: int
    share: int
    most_rows: int
    pass_rows: int
    products: Mapping[Node, ChainProduct]
    across: Mapping[Node, frozenset[Value]]
    exchanged: tuple[Value, ...]

    @property
    def node(self) -> Node:
        """The loop."""
        return self.facts.node

    @property
    def carries(self) -> int:
        """How many values the steps hand on."""
        return len(carries_of(self.node))

    @property
    def rows(self) -> Size:
        """How many rows a call has."""
        return self.facts.rows

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.units // self.share)

    @property
    def threads(self) -> int:
        """How many threads a block has."""
        return THREADS

    def groups(self, value: Value) -> int:
        """Return how many columns of a value a unit has."""
        return int(value.type.shape[1]) // self.units

    def own_elements(self, value: Value) -> int:
        """Return how many elements a block has of a value."""
        return self.most_rows * self.groups(value) * self.share

    def exchanged_elements(self, value: Value) -> int:
        """Return how much memory a value takes for all blocks; a carry lies there twice."""
        times = 2 if value in carries_of(self.node) else 1
        return times * self.most_rows * int(value.type.shape[1])

    @property
    def arrays(self) -> dict[str, SharedArray]:
        """All that lies in the shared memory of a block, by name."""
        found: list[SharedArray] = []
        for number, one in enumerate(self.products.values()):
            left = (one.terms - one.held) * one.pairs
            found += [SharedArray(f"weight{number}", "float32", left)] if left else []
            rows = self.pass_rows * one.width
            found.append(SharedArray(f"rows{number}", "float32", rows))
            sums = self.pass_rows * one.pairs
            found.append(SharedArray(f"sums{number}", "float32", sums))
        for number, value in enumerate(carries_of(self.node)):
            dtype, count = stored(value.type.dtype), 2 * self.own_elements(value)
            found.append(SharedArray(f"carry{number}", dtype, count))
        for number, inner in enumerate(self.node.bodies[0].nodes):
            dtype = stored(inner.result.type.dtype)
            count = self.own_elements(inner.result)
            found.append(SharedArray(f"value{number}", dtype, count))
        return {one.name: one for one in found}

    @property
    def shared_bytes(self) -> int:
        """How much shared memory a block takes."""
        return sum(one.bytes for one in self.arrays.values())


def grid_loop_of(node: Node) -> GridLoop | str:
    """Return how blocks compute a loop together, or why they do not."""
    facts = step_facts(node)
    if isinstance(facts, str):
        return facts
    body = node.bodies[0]
    inside = [*carries_of(node), *(inner.result for inner in body.nodes)]
    if any(value.type.rank != 2 for value in (*inside, *body.outputs)):
        return "not all values of a step have two axes"
    units = gcd(*(int(value.type.shape[1]) for value in (*inside, *body.outputs)))
    across: dict[Node, frozenset[Value]] = {}
    for inner in body.nodes:
        found = across_units(inner, units, inside)
        if found is None:
            return "a step moves numbers between its units"
        if inner in facts.products:
            across[inner] = found
    exchanged = tuple(v for v in inside if any(v in one for one in across.values()))
    if not exchanged:
        return "no product reads what a step before it made"
    if any(value.type.dtype is not DType.F32 for value in exchanged):
        return "products read other types than float32"
    return shared_out(facts, units, across, exchanged)


def shared_out(
    facts: StepFacts,
    units: int,
    across: Mapping[Node, frozenset[Value]],
    exchanged: tuple[Value, ...],
) -> GridLoop | str:
    """Return a loop with its units in shares, or why that cannot be."""
    low, high = bounds(facts.rows)
    if low > MOST_ROWS:
        return f"blocks share a loop for up to {MOST_ROWS} rows of the batch"
    each = max(one.columns // units * chains_of(one) for one in facts.products.values())
    if each > THREADS:
        return f"a unit takes {each} threads, of which a block has {THREADS}"
    blocks = -(-units // (THREADS // each))
    if blocks > MOST_BLOCKS:
        return f"it would take {blocks} blocks at once, and cards hold {MOST_BLOCKS}"
    most = min(high, MOST_ROWS)
    count = min(most, PASS_ROWS)
    while True:
        share = -(-units // blocks)
        products = held_products(facts.products.values(), units, share, count)
        made = GridLoop(facts, units, share, most, count, products, across, exchanged)
        if made.shared_bytes <= MOST_SHARED:
            return made
        if 2 * blocks > min(units, MOST_BLOCKS):
            needed = f"each of {blocks} blocks would need {made.shared_bytes} bytes"
            return f"{needed} of shared memory, of which it has {MOST_SHARED}"
        blocks *= 2


def chains_of(product: StepProduct) -> int:
    """Return how many chains a sum has."""
    return -(-product.depth // SPLIT)


def held_products(
    products: Iterable[StepProduct], units: int, share: int, rows: int
) -> dict[Node, ChainProduct]:
    """Return products with the terms that threads have in registers.

    Those of which the most threads compute a part come first.
    """
    order = sorted(products, key=lambda one: -one.columns * chains_of(one))
    left = MOST_REGISTERS - OTHER_REGISTERS - (2 * ROW_REGISTERS + 2) * rows
    is_padded = any(one.depth > SPLIT and one.depth % SPLIT for one in order)
    more = PRODUCT_REGISTERS * (len(order) - 1)
    left -= max(more, PADDED_REGISTERS) if is_padded else more
    found: dict[Node, ChainProduct] = {}
    for one in order:
        chains = chains_of(one)
        terms = SPLIT if chains > 1 else -(-one.depth // TERMS) * TERMS
        held = min(terms, left // TERMS * TERMS)
        columns = one.columns // units * share
        found[one.node] = ChainProduct(one, chains, terms, columns, held)
        left -= held
    return found
