"""NVIDIA's cards, launched by an x86-64 processor under Linux."""

from lxc.ir.machine import Machine
from lxc.targets.cuda.architectures import ALL, SM_80, SM_86, SM_89, SM_90, Architecture
from lxc.targets.cuda.compiled import Cards
from lxc.targets.target import Target
from lxc.targets.x86_64 import TRIPLE, V2

REGISTERS = 15
"""Of a thread, for sums: an estimate that leaves room for a hundred threads and more."""
STACKED_BYTES = 64 << 20
"""One launch multiplies for all steps of a loop; in a step, all else would wait for it."""


def cards(name: str, kinds: tuple[Architecture, ...], description: str) -> Target:
    """Return a target with machine code for some kinds of card."""
    sizes = 1, REGISTERS, True, 32 << 10, 1 << 20
    machine = Machine(
        name, *sizes, pads_in_products=True, has_tf32=True, stacked_bytes=STACKED_BYTES
    )
    return Target(name, TRIPLE, "x86-64-v2", V2, machine, description, Cards(kinds))


CARDS = (
    *(
        cards(f"cuda-sm{one.capability}", (one,), f"NVIDIA cards: {one.description}")
        for one in (SM_80, SM_86, SM_89, SM_90)
    ),
    cards("cuda", ALL, "NVIDIA cards since 2020, with code for each kind of them"),
)
