"""Arrays on their way into compiled code: named, checked, contiguous, not copied in vain.

Arrays of NumPy and of any library that speaks DLPack are taken as they are. There are no
silent casts: another dtype is an error that names both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ctypes import addressof
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.runtime.extent import evaluate, show
from lxc.runtime.memory import Array, Shaped, address, any_byte
from lxc.runtime.misfit import Role, describe_misfit, parent
from lxc.runtime.signature import DTYPES, Dim, Group, Leaf, Signature
from lxc.runtime.trees import ABSENT, MisfitError, Reader, reader
from lxc.structure import Structure

INPUTS = Role("input", "inputs", "LXC-E0501")
PARAMS = Role("parameter", "parameters", "LXC-E0502")
STATE = Role("state", "leaves of the state", "LXC-E0502")
OUTPUTS = Role("output", "outputs", "LXC-E0506")


class Slot:
    """What one leaf must be; `shape` is None where it depends on dimensions."""

    def __init__(self, leaf: Leaf, role: Role) -> None:
        """Prepare the fast comparison."""
        self.leaf = leaf
        self.role = role
        self.dtype = DTYPES[leaf.dtype]
        self.shape = None if leaf.symbolic else leaf.shape_at({})
        self.rank = len(leaf.shape)
        self.alignment = self.dtype.alignment
        self.indices = Indices(self.dtype, leaf.below) if leaf.below is not None else None

    def take(self, value: Any, kept: list[Array]) -> int:
        """Return the address of what `accept` returns, which goes to `kept`."""
        if (
            type(value) is np.ndarray
            and value.dtype is self.dtype
            and (value.shape == self.shape or self.fits(value))
            and (self.indices is None or self.indices.are_in(value))
        ):
            try:
                found = addressof(any_byte(value))
            except (TypeError, ValueError):
                pass  # read-only, not contiguous, empty, or of a type without buffers
            else:
                if not found % self.alignment:
                    kept.append(value)
                    return found
        array = self.accept(value)
        kept.append(array)
        return address(array)

    def accept(self, value: Any) -> Array:
        """Return `value` as a contiguous array of the right type, if possible itself."""
        array = value if type(value) is np.ndarray else as_array(value, self)
        if array.dtype != self.dtype or (
            array.shape != self.shape and not self.fits(array)
        ):
            raise self.misfit(array)
        self.check_indices(array)
        flags = array.flags
        if flags.c_contiguous and flags.aligned:
            return array
        return np.ascontiguousarray(np.require(array, requirements=["A"])).reshape(
            array.shape
        )

    def fits(self, array: Shaped) -> bool:
        """Tell whether a shape with dimensions may be that of `array`."""
        return self.shape is None and array.ndim == self.rank

    def check_indices(self, array: Array) -> None:
        """Refuse indices outside of the table that they are for."""
        if self.indices is None or self.indices.are_in(array):
            return
        raise LxcError(
            self.role.code,
            f"the {self.role.one} {self.leaf.name} holds an index outside of its table",
            expected=f"{self.leaf.name}: 0..{self.indices.below - 1}",
            actual=f"{self.leaf.name}: {array.min()}..{array.max()}",
        )

    def misfit(self, array: Shaped) -> LxcError:
        """Return the error for an array of another type or shape."""
        name, layer = self.leaf.name, parent(self.leaf.name)
        return LxcError(
            self.role.code,
            f"the {self.role.one} {name or 'array'} does not fit the compiled model",
            layer=(layer or None) if self.role in (PARAMS, STATE) else None,
            expected=f"{name}: {self.leaf}",
            actual=f"{name}: {type_of(array)}",
        )


class Indices:
    """The test that integers are indices of a table."""

    def __init__(self, dtype: np.dtype[Any], below: int) -> None:
        """Prepare the test: as unsigned numbers, negative ones are the largest."""
        self.below = below
        self.unsigned = np.dtype(f"u{dtype.itemsize}")
        bits = 8 * dtype.itemsize
        self.limit = min(below, 1 << (bits - 1)) if dtype.kind == "i" else below

    def words(self, array: Array) -> Array:
        """Return indices as unsigned numbers in the same memory."""
        return array.view(self.unsigned)

    def are_in(self, array: Array) -> bool:
        """Tell whether every element is at least 0 and below the size of the table."""
        if not array.size:
            return True
        words = self.words(array)
        # Where the largest one is: finding it as a number takes several times as long.
        return bool(words.item(words.argmax()) < self.limit)


class FixedIndices:
    """An array of indices that is looked at again before every call."""

    def __init__(self, slot: Slot, indices: Indices, array: Array) -> None:
        """Prepare the test of an array that stays where it is."""
        self.slot, self.array, self.limit = slot, array, indices.limit
        self.words = indices.words(array)

    def check(self) -> None:
        """Refuse what is in the array if an index is outside of its table."""
        words = self.words
        if words.size and words.item(words.argmax()) >= self.limit:
            self.slot.check_indices(self.array)


def as_array(value: Any, slot: Slot) -> Array:
    """Return a NumPy array that shares memory with `value`."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    if hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise LxcError(
                slot.role.code,
                f"DLPack gives no access to the {slot.role.one} {slot.leaf.name}: {error}",
                hint="pass a NumPy array in the memory of the host",
            ) from None
    raise LxcError(
        slot.role.code,
        f"the {slot.role.one} {slot.leaf.name} is not an array",
        expected=f"{slot.leaf.name}: {slot.leaf}",
        actual=f"{slot.leaf.name}: a value of type {type(value).__name__}",
        hint="pass a NumPy array, or an array of a library that speaks DLPack",
    )


def type_of(array: Shaped) -> str:
    """Print dtype and shape as a signature does."""
    order = "" if array.dtype.isnative else "byte-swapped "
    return f"{order}{array.dtype.name}[{', '.join(map(str, array.shape))}]"


class Gatherer:
    """Reads the leaves of one tree of a signature."""

    def __init__(self, group: Group, role: Role, prefix: str = "") -> None:
        """Prepare reader and slots; `prefix` is the path of the tree itself."""
        self.prefix = prefix
        self.structure: Structure = group.tree
        self.role = role
        self.slots = tuple(Slot(leaf, role) for leaf in group.leaves)

    @cached_property
    def read(self) -> Reader:
        """The reader of the tree, made when it is first needed."""
        return reader(self.structure)

    def leaves(self, tree: Any) -> list[Any]:
        """Return the leaves of `tree` as they are, after comparing the structure."""
        found: list[Any] = []
        try:
            self.read(tree, found)
        except MisfitError:
            raise describe_misfit(self.structure, tree, self.role, self.prefix) from None
        return found

    def arrays(
        self, leaves: Sequence[Any], slots: Sequence[Slot] | None = None
    ) -> list[Array]:
        """Return each leaf as an array that fits its slot; name all that do not."""
        pairs = [*zip(self.slots if slots is None else slots, leaves, strict=True)]
        try:
            return [slot.accept(leaf) for slot, leaf in pairs]
        except LxcError as first:
            raise self.all_misfits(pairs, first) from None

    def take(
        self, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> tuple[list[Array], list[int]]:
        """Return what `arrays` does, and the address of each."""
        kept: list[Array] = []
        try:
            return kept, list(map(Slot.take, slots, leaves, repeat(kept)))
        except LxcError as first:
            raise self.all_misfits([*zip(slots, leaves, strict=True)], first) from None

    def named(self, tree: Any) -> dict[str, Array]:
        """Return the arrays of `tree` by name, as files hold them: what is there."""
        leaves = self.leaves(tree)
        kept = [place for place, leaf in enumerate(leaves) if leaf is not ABSENT]
        slots = [self.slots[place] for place in kept]
        arrays = self.arrays([leaves[place] for place in kept], slots)
        found = {slot.leaf.name: array for slot, array in zip(slots, arrays, strict=True)}
        for places in self.structure.optional_leaves():
            found.pop(self.slots[places[0]].leaf.name, None)
        return found

    def with_zeros(self, leaves: Sequence[Any], dims: Mapping[str, int]) -> list[Any]:
        """Return `leaves` with zeros for those that are absent."""
        return [
            np.zeros(slot.leaf.shape_at(dims), slot.dtype) if leaf is ABSENT else leaf
            for slot, leaf in zip(self.slots, leaves, strict=True)
        ]

    def all_misfits(
        self,
        pairs: Sequence[tuple[Slot, Any]],
        first: LxcError,
        accept: Callable[[Slot, Any], Any] = Slot.accept,
    ) -> LxcError:
        """Return one error for all leaves that do not fit."""
        errors = []
        for slot, leaf in pairs:
            try:
                accept(slot, leaf)
            except LxcError as error:
                errors.append(error)
        if len(errors) == 1:
            return first
        return LxcError(
            first.code,
            f"{len(errors)} {self.role.all} do not fit the compiled model",
            expected="; ".join(str(error.expected) for error in errors),
            actual="; ".join(str(error.actual or error.summary) for error in errors),
        )


class DimSolver:
    """Finds the values of the dimensions from shapes of arrays, and checks all shapes."""

    def __init__(self, signature: Signature) -> None:
        """Note where the dimensions are to be read."""
        self.dims = signature.dims
        self.ranges = {dim.name: dim for dim in signature.dims}
        self.lowest = {dim.name: dim.low for dim in signature.dims}

    def solve(self, slots: Iterable[tuple[Slot, Shaped]]) -> dict[str, int]:
        """Return the value of each dimension that is an axis of one of these arrays."""
        pairs = list(slots)
        values: dict[str, int] = {}
        for slot, array in pairs:
            for extent, length in zip(slot.leaf.shape, array.shape, strict=True):
                if isinstance(extent, str) and extent not in values:
                    values[extent] = in_range(self.ranges[extent], length, slot)
        for slot, array in pairs:
            check_shape(slot, array, values)
        return values

    def table(self, values: Mapping[str, int]) -> list[Any]:
        """Return the values in header order; where nothing fixed one, its lowest."""
        return [values.get(dim.name, dim.low) for dim in self.dims]


def in_range(dim: Dim, length: int, slot: Slot) -> int:
    """Return `length` if the dimension can have that value."""
    if dim.low <= length <= dim.high:
        return length
    raise LxcError(
        "LXC-E0503",
        f"the dimension {dim.name} of the {slot.role.one} {slot.leaf.name} is out of range",
        expected=f"{dim.name} from {dim.low} to {dim.high}",
        actual=f"{dim.name} = {length}",
        hint=f"compile the model with a wider range of {dim.name}",
    )


def check_shape(slot: Slot, array: Shaped, values: Mapping[str, int]) -> None:
    """Refuse an array whose shape is not the one that the dimensions give."""
    for axis, (extent, length) in enumerate(zip(slot.leaf.shape, array.shape, strict=True)):
        wanted = evaluate(extent, values)
        if wanted != length:
            known = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise LxcError(
                slot.role.code,
                f"axis {axis} of the {slot.role.one} {slot.leaf.name} has the wrong length",
                expected=f"{slot.leaf.name}: {slot.leaf}, where {show(extent)} is {wanted}"
                + (f" ({known})" if known else ""),
                actual=f"{slot.leaf.name}: {type_of(array)}",
            )
