"""What some rows that are walked at once have one number each of, such as their sums."""

from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.targets.kernels.storage import stored
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Buffer, Expr, load


@dataclass(frozen=True)
class Numbers:
    """What some rows have one number each of: as arrays of all, and by row."""

    together: dict[Value, Buffer]
    alone: tuple[dict[Value, Buffer], ...]

    @staticmethod
    def of_rows(count: int) -> "Numbers":
        """Return no numbers yet of some rows."""
        return Numbers({}, tuple({} for _ in range(count)))

    def add(self, writer: Writer, memory: Value, number: Expr) -> None:
        """Write one number for each row to new memory."""
        count, dtype = len(self.alone), stored(memory.type.dtype)
        cells = writer.array(dtype, count)
        writer.store(cells, writer.lane(count), number, count)
        self.together[memory] = cells
        for row, alone in enumerate(self.alone):
            alone[memory] = writer.array(dtype, 1)
            writer.store(alone[memory], 0, load(cells, row), 1)

    def copied(self, writer: Writer) -> "Numbers":
        """Write all numbers to new memory and return them."""
        copies, lane = Numbers.of_rows(len(self.alone)), writer.lane(len(self.alone))
        for memory, cells in self.together.items():
            copies.add(writer, memory, load(cells, lane))
        return copies

    def replace(self, writer: Writer, others: "Numbers") -> None:
        """Write the numbers of other rows to the memory of these."""
        count = len(self.alone)
        for memory, cells in self.together.items():
            number = load(others.together[memory], writer.lane(count))
            writer.store(cells, writer.lane(count), number, count)
