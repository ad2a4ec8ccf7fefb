"""Launches of kernels without a card."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lxc.targets.tvm_api import Function
from lxc.targets.tvm_device import lowered_kernels
from tests.cards.emulator.accesses import WARP
from tests.cards.emulator.block import Block
from tests.cards.emulator.calls import Addresses
from tests.cards.emulator.copies import Copying
from tests.cards.emulator.expressions import COPYING, Expressions, Names, element_type
from tests.cards.emulator.grid import Grid, Turn
from tests.cards.emulator.memory import Array, Memory
from tests.cards.emulator.statements import Statements

ZERO = np.zeros((1, 1), np.int64)


@dataclass(frozen=True)
class Output:
    """An array whose content a kernel may not read before it writes it."""

    array: NDArray[Any]


Argument = NDArray[Any] | Output | int


class EmulatedKernel:
    """A kernel as the code generator for cards takes it, ready to be launched.

    The blocks of one that `meets` wait for each other.
    """

    def __init__(self, kernel: Function, *, meets: bool = False) -> None:
        self.meets = meets
        ((_, lowered),) = lowered_kernels({"kernel": kernel}).functions_items()
        self.names = Names()
        statements = Statements(Expressions(self.names))
        self.parameters = list(lowered.params)
        self.body = statements.act(lowered.body)
        self.extents = statements.extents

    def launch(self, *arguments: Argument) -> None:
        """Run all blocks; arrays are changed in place. Raises the first fault."""
        given = {
            self.names.number(parameter): self.value(parameter, argument)
            for parameter, argument in zip(self.parameters, arguments, strict=True)
        }
        with np.errstate(all="ignore"):
            sizes = self.sizes(given)
            threads = sorted(tag for tag in sizes if tag.startswith("thread"))
            blocks = sorted(tag for tag in sizes if tag.startswith("block"))
            own = self.thread_numbers(threads, sizes)
            count = prod(sizes[tag] for tag in threads)
            grid = Grid()

            def execute(number: int, place: dict[str, int], turn: Turn | None) -> None:
                block = Block(number, count)
                block.values[COPYING] = Copying(block, grid, turn)
                block.values.update({**given, **own, **self.block_numbers(place)})
                self.body(block)

            numbered = list(enumerate(places(blocks, sizes)))
            if self.meets:
                grid.run([partial(execute, *one) for one in numbered])
            else:
                for number, place in numbered:
                    execute(number, place, None)

    def value(self, parameter: Any, argument: Argument) -> Any:
        """Return what a parameter stands for."""
        if isinstance(argument, int):
            return np.full((1, 1), argument, element_type(parameter))
        written = not isinstance(argument, Output)
        array = argument if isinstance(argument, np.ndarray) else argument.array
        if not array.flags.c_contiguous:
            raise ValueError("arrays of a card are contiguous")
        flat = array.reshape(-1)
        name = parameter.name.removesuffix("_pointer")
        start = array.ctypes.data
        content = flat.view(np.uint8)
        memory = Memory(name, content, written=written, shared=True, address=start)
        return Addresses(Array(name, memory, ZERO, array.dtype, array.size), ZERO)

    def sizes(self, given: dict[int, Any]) -> dict[str, int]:
        """Return the extents of the launch by the names of its axes."""
        block = Block(0, WARP)
        block.values.update(given)
        return {tag: int(size(block)[0, 0]) for tag, (_, size) in self.extents.items()}

    def thread_numbers(self, tags: Sequence[str], sizes: dict[str, int]) -> dict[int, Any]:
        """Return the variables that tell threads apart; the first axis goes fastest."""
        every = np.arange(prod(sizes[tag] for tag in tags))[:, None]
        found, stride = {}, 1
        for tag in tags:
            number = every // stride % sizes[tag]
            found[self.extents[tag][0]] = number.astype(np.int32)
            stride *= sizes[tag]
        return found

    def block_numbers(self, place: dict[str, int]) -> dict[int, Any]:
        """Return the variables that tell blocks apart."""
        return {
            self.extents[tag][0]: np.full((1, 1), number, np.int32)
            for tag, number in place.items()
        }


def places(tags: Sequence[str], sizes: dict[str, int]) -> Iterator[dict[str, int]]:
    """Yield the numbers of all blocks, by axis."""
    for numbers in product(*(range(sizes[tag]) for tag in tags)):
        yield dict(zip(tags, numbers, strict=True))
