"""What a block has of a value in a step: the columns of its units, in shared memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.kernels.element import Elements, Source
from lxc.targets.kernels.place import Place
from lxc.targets.kernels.storage import computed, from_memory
from lxc.targets.tvm_api import Buffer, Expr, Index, divide, load, modulo


@dataclass(frozen=True)
class Share:
    """The units of a block: of `units` it has `size`, the first one is `first`.

    The last block may have fewer that exist.
    """

    units: int
    size: int
    first: Index

    def unit(self, number: Index) -> Index:
        """Return a unit by its number in the share."""
        return self.first + number


@dataclass(frozen=True)
class OwnPart:
    """The columns of a share of a value: row by row, each row group by group of units."""

    buffer: Buffer
    groups: int
    share: Share

    def index(self, row: Index, column: Index) -> Index:
        """Return where the element of a column lies."""
        units = self.share.units
        group = row * self.groups + divide(column, units)
        return group * self.share.size + (modulo(column, units) - self.share.first)


class OwnElements(Elements):
    """Elements of a body that reads parts of values out of shared memory."""

    def __init__(
        self, writer: GridWriter, source: Source, own: Mapping[Value, OwnPart]
    ) -> None:
        """Know nothing yet; `own` are the parts by the parameters of the body."""
        super().__init__(writer, source, 1)
        self.own = own

    def read(self, value: Value, place: Place) -> Expr:
        """Return an element of a part, or of memory."""
        if value not in self.own:
            return super().read(value, place)
        part, (row, column) = self.own[value], place.coordinates
        position = self.writer.prover.simplify(part.index(row, column))
        element = from_memory(load(part.buffer, position), value.type.dtype)
        return self.hold(element, computed(value.type.dtype))
