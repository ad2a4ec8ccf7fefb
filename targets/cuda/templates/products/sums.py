"""The sums of a product that one thread computes, whatever computes them."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.tvm_api import Buffer, Expr, Index, constant, store

Take = Callable[[Index, Index, Expr], None]
"""It is called with the row and the column of a sum in its tile, and with the sum."""


class Sums(ABC):
    """Writes so many sums of one thread, which stay in registers."""

    def __init__(self, writer: GridWriter, count: int) -> None:
        """Start without sums."""
        self.writer, self.count = writer, count
        self.sums = writer.array("float32", count)

    def clear(self) -> None:
        """Write that all sums are zero."""
        with unrolled(self.writer, self.count) as number:
            self.writer.write(store(self.sums, number, constant(0.0, "float32")))

    @abstractmethod
    def add_terms(self, bases: tuple[Index, Index]) -> None:
        """Write all terms of a stage, whose two parts begin at `bases`."""

    @abstractmethod
    def give(self, totals: Buffer, take: Take) -> None:
        """Write what `take` does with the row, the column and the number of each sum."""
