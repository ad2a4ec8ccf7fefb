"""Write the statements of one kernel: nested blocks, loops, lane loops and small arrays.

A lane loop runs over the lanes of one vector and becomes vector instructions. All lane
loops of one width share one counter, so that an index that mentions it fits any of them.
Values that go from one lane loop to the next live in arrays of one vector each, which
LLVM keeps in registers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from lxc.targets.tvm_api import (
    PARALLEL,
    SERIAL,
    VECTORIZED,
    Buffer,
    Expr,
    Index,
    Stmt,
    allocate,
    any_bit,
    bind,
    branch,
    constant,
    is_less,
    load,
    load_vector,
    loop,
    multiply_add,
    nothing,
    prefetch,
    sequence,
    settled,
    stack_array,
    store,
    variable,
    with_helper,
)
from lxc.targets.tvm_functions import answer_of
from lxc.targets.tvm_prover import Prover


class Writer:
    """The blocks of a kernel that are still open, innermost last."""

    def __init__(
        self,
        dims: Mapping[str, Expr],
        *,
        has_look_up: bool = False,
        converts_halves: bool = True,
    ) -> None:
        """Start with an empty outermost block; `dims` are the kernel's dimensions.

        `has_look_up` says that kernels may take numbers out of tables in registers,
        `converts_halves` that the machine has instructions to convert float16.
        """
        self.dims = dims
        self.has_look_up = has_look_up
        self.converts_halves = converts_halves
        self.prover = Prover()
        self._blocks: list[list[Stmt]] = [[]]
        self._counter = 0
        self._helpers: list[str] = []
        self._lanes: dict[int, Expr] = {}

    @property
    def body(self) -> Stmt:
        """Everything that was written."""
        (block,) = self._blocks
        written = sequence(block) if block else nothing()
        for text in self._helpers:
            written = with_helper(text, written)
        return written

    def use(self, helper: str) -> None:
        """Let the kernel call a function in the text of an LLVM module."""
        if helper not in self._helpers:
            self._helpers.append(helper)

    def fresh(self, name: str) -> str:
        """Return a name that nothing else in the kernel has."""
        self._counter += 1
        return f"{name}_{self._counter}"

    def write(self, statement: Stmt) -> None:
        """Append a statement to the innermost block."""
        self._blocks[-1].append(statement)

    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """Collect what is written inside instead of appending it."""
        inner: list[Stmt] = []
        self._blocks.append(inner)
        try:
            yield inner
        finally:
            self._blocks.pop()

    @contextmanager
    def loop(self, extent: Index, *, parallel: bool = False) -> Iterator[Index]:
        """Write a loop around what is written inside; yields the counter."""
        if isinstance(extent, int) and extent == 1:
            yield 0
            return
        counter = variable(self.fresh("i"))
        self.prover.bind(counter, 0, extent)
        with self.block() as inner:
            yield counter
        empty = isinstance(extent, int) and extent == 0
        if inner and not empty:
            kind = PARALLEL if parallel else SERIAL
            self.write(loop(counter, extent, kind, sequence(inner)))

    @contextmanager
    def loops(self, extents: Sequence[Index]) -> Iterator[tuple[Index, ...]]:
        """Write nested loops around what is written inside; yields the counters."""
        with ExitStack() as stack:
            yield tuple(stack.enter_context(self.loop(extent)) for extent in extents)

    def choose(
        self, condition: Expr, then: Callable[[], None], otherwise: Callable[[], None]
    ) -> None:
        """Write both ways of a condition."""
        with self.block() as first:
            then()
        with self.block() as second:
            otherwise()
        if first or second:
            chosen = sequence(first) if first else nothing()
            self.write(branch(condition, chosen, sequence(second) if second else None))

    def lane(self, width: int) -> Index:
        """Return the counter of lane loops of a width."""
        if width == 1:
            return 0
        if width not in self._lanes:
            self._lanes[width] = variable(f"lane{width}")
            self.prover.bind(self._lanes[width], 0, width)
        return self._lanes[width]

    def store(self, buffer: Buffer, index: Index, value: Expr, width: int) -> None:
        """Write one vector; index and value name lanes by the lane counter."""
        statement = store(buffer, index, value)
        if width > 1:
            statement = loop(self.lane(width), width, VECTORIZED, statement)
        self.write(statement)

    def load(self, buffer: Buffer, index: Index, width: int) -> Expr:
        """Return one vector of memory; index and result name lanes by the lane counter."""
        return load(buffer, index)

    def any_bit(self, vector: Buffer, width: int) -> Expr:
        """Return the bits that any lane of a vector of int32 has."""
        return load(vector, 0) if width == 1 else any_bit(load_vector(vector, 0, width))

    def fetch(self, buffer: Buffer, index: Index, *, nearest: bool = False) -> None:
        """Write what brings the memory of an element near, for it is read soon."""
        self.write(prefetch(buffer, index, nearest=nearest))

    def settled(self, dtype: str, value: Expr) -> Expr:
        """Return a number as it is rounded: no product is fused with what follows it."""
        return settled(dtype, value)

    def multiply_add(self, x: Expr, y: Expr, z: Expr) -> Expr:
        """Return x * y + z, with this product and no other fused with the sum."""
        return multiply_add(x, y, z)

    def array(self, dtype: str, width: int, *, stays: bool = False) -> Buffer:
        """Return a new array of one vector.

        One that `stays` is memory of the stack, and may have a kilobyte or more.
        """
        buffer = stack_array(self.fresh("t"), dtype, width)
        self.write(allocate(buffer, stays=stays))
        return buffer

    def has_threads(self) -> Expr:
        """Return whether several threads share those loops of the kernel that may be."""
        threads = self.hold(answer_of("lxc_threads"), "int32", 1)
        return is_less(constant(1, "int32"), threads)

    def name(self, value: Index, extent: Index) -> Index:
        """Return a variable for an index from 0 to below `extent`, computed only here."""
        if isinstance(value, int):
            return value
        named = variable(self.fresh("n"))
        # TVM would put the value in place of the variable again, were it not a load.
        self.write(bind(named, self.hold(value, "int64", 1)))
        self.prover.bind(named, 0, extent)
        return named

    def hold(self, value: Expr, dtype: str, width: int) -> Expr:
        """Write a vector into a new array and return the load of the current lane."""
        buffer = self.array(dtype, width)
        self.store(buffer, self.lane(width), value, width)
        return load(buffer, self.lane(width))
