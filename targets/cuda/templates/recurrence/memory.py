"""What a block keeps at hand that takes rows of a batch through all steps of a loop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from lxc.ir.dim import Size
from lxc.ir.node import Node, Value
from lxc.passes.nodes import attributes_of, producers
from lxc.targets.cuda.shared_memory import SharedArray
from lxc.targets.kernels.group import is_alias
from lxc.targets.kernels.storage import stored

MOST_SHARED = 96 << 10
"""Bytes of shared memory that a block may have on every kind of card."""
FEWEST_THREADS, MOST_THREADS = 64, 512
REGISTERS, MOST_REGISTERS = 512, 255
"""Registers that the warps of a quarter of a multiprocessor share, of each of their
threads, and those that one thread may have."""
OTHER_REGISTERS, ROW_REGISTERS = 28, 6
"""Registers that a thread needs beside weights: for itself, and for each row."""
TERMS = 4
"""Terms of a product that lie side by side in shared memory: 16 bytes."""


@dataclass(frozen=True)
class StepProduct:
    """A product of one step: so many terms for each of so many columns.

    `anchor` multiplies in the kernel `node`. `rows` is the value of the loop's body that it
    reads as it is, None if what it reads is computed first.
    """

    node: Node
    anchor: Node
    depth: int
    columns: int
    rows: Value | None

    def elements(self, held: int) -> int:
        """Return what its weight takes without so many terms, filled up to fours."""
        return -(-(self.depth - held) // TERMS) * TERMS * self.columns


@dataclass(frozen=True)
class Recurrence:
    """A loop whose rows stay apart, and the shared memory of a block for `block_rows`.

    Constants `by_row` have rows. A carry lies twice, for even and for odd steps. `homes`
    are the values that are computed where the next step finds them, with the number of the
    carry; `values` are the others.
    Of so many first terms of a product as are `held`, a thread has those of its column in
    registers. The rest are `weights`.
    """

    node: Node
    rows: Size
    block_rows: int
    threads: int
    by_row: tuple[Value, ...]
    products: Mapping[Node, StepProduct]
    homes: Mapping[Value, int]
    held: Mapping[Node, int]
    weights: Mapping[Node, SharedArray]
    staged: Mapping[Node, SharedArray]
    carries: tuple[SharedArray, ...]
    values: Mapping[Value, SharedArray]

    @property
    def arrays(self) -> tuple[SharedArray, ...]:
        """All that lies in shared memory."""
        parts = (self.weights, self.staged, self.values)
        return (*self.carries, *(one for part in parts for one in part.values()))

    @property
    def shared_bytes(self) -> int:
        """How much shared memory a block takes."""
        return sum(one.bytes for one in self.arrays)


def carries_of(node: Node) -> tuple[Value, ...]:
    """Return the parameters of the body that the steps hand on."""
    return node.bodies[0].parameters[: attributes_of(node)["carries"]]


def inner_size(value: Value) -> int | None:
    """Return how many elements a row of a value has, None if only a call tells or none."""
    inner = value.type.shape[1:]
    is_known = all(isinstance(n, int) and n > 0 for n in inner)
    return prod(map(int, inner)) if is_known else None


def laid_out(
    node: Node,
    rows: Size,
    count: int,
    products: Mapping[Node, StepProduct],
    by_row: tuple[Value, ...],
) -> Recurrence:
    """Return the memory of a block for so many rows."""
    threads, homes = threads_for(node.bodies[0].nodes), homes_of(node)
    held = held_terms(products.values(), threads, count)
    numbered = list(enumerate(products.values()))
    weights = {
        one.node: SharedArray(f"weight{number}", "float32", one.elements(held[one.node]))
        for number, one in numbered
        if held[one.node] < one.depth
    }
    staged = {
        one.node: SharedArray(f"rows{number}", "float32", count * one.depth)
        for number, one in numbered
        if not is_kept(one.rows, node)
    }
    carries = tuple(
        array_for(f"carry{number}", value, 2 * count)
        for number, value in enumerate(carries_of(node))
    )
    values = {
        one.result: array_for(f"value{number}", one.result, count)
        for number, one in enumerate(node.bodies[0].nodes)
        if one.result not in homes and not is_alias(one.bodies[0])
    }
    choices = (count, threads, by_row, products, homes, held)
    return Recurrence(node, rows, *choices, weights, staged, carries, values)


def array_for(name: str, value: Value, rows: int) -> SharedArray:
    """Return shared memory for so many rows of a value."""
    return SharedArray(name, stored(value.type.dtype), rows * (inner_size(value) or 0))


def homes_of(node: Node) -> dict[Value, int]:
    """Return what kernels of a step make for the next one, with the number of the carry."""
    body, found = node.bodies[0], dict[Value, int]()
    made = producers(body.nodes)
    for number, value in enumerate(body.outputs[: len(carries_of(node))]):
        if value in made and not is_alias(made[value].bodies[0]):
            found.setdefault(value, number)
    return found


def is_kept(value: Value | None, node: Node) -> bool:
    """Return whether a value lies in shared memory as a product reads it."""
    return value in carries_of(node) or value in producers(node.bodies[0].nodes)


def held_terms(products: Iterable[StepProduct], threads: int, rows: int) -> dict[Node, int]:
    """Return how many terms of each product threads have in registers, first come."""
    warps_beside = -(-threads // 128)
    left = min(MOST_REGISTERS, REGISTERS // warps_beside // 8 * 8)
    left -= OTHER_REGISTERS + ROW_REGISTERS * rows
    held: dict[Node, int] = {}
    for product in products:
        fits = product.depth if product.depth <= left else left // TERMS * TERMS
        held[product.node] = fits if product.columns <= threads else 0
        left -= held[product.node]
    return held


def threads_for(nodes: Sequence[Node]) -> int:
    """Return how many threads a block has: one for each element of the longest row."""
    longest = max((inner_size(one.result) or 1 for one in nodes), default=1)
    return max(FEWEST_THREADS, min(-(-longest // 32) * 32, MOST_THREADS))
