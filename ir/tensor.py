"""Apply ops to arrays at once, or to traced tensors as nodes: the same call does both."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

import numpy as np

from lxc.errors import LxcError
from lxc.ir.builder import Builder
from lxc.ir.dim import Expression, Size
from lxc.ir.dispatch import MAKERS, call
from lxc.ir.dispatch import implements as implements
from lxc.ir.dispatch import refusal as refusal
from lxc.ir.dispatch import source_line as source_line
from lxc.ir.methods import Methods
from lxc.ir.node import Location, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.types import Array, DType, TensorType, dtype_of, type_of_array


class Tensor(Methods):
    """A value of a model that is being traced.

    It has NumPy's operators and is taken by NumPy's functions, as far as `lxc.ops` has
    them. It has no contents, so Python cannot branch on it.
    """

    def __init__(self, value: Value, builder: Builder) -> None:
        """Stand for `value` of a graph under construction."""
        self.value = value
        self.builder = builder

    @property
    def type(self) -> TensorType:
        """Element type and shape."""
        return self.value.type

    @property
    def shape(self) -> tuple[Size, ...]:
        """The sizes of the axes; symbolic ones are expressions."""
        return self.value.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type, as NumPy names it."""
        return self.value.type.dtype.numpy

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.type.rank

    @property
    def size(self) -> Size:
        """The number of elements; an expression if a size is symbolic."""
        return self.value.type.element_count

    @property
    def itemsize(self) -> int:
        """The number of bytes of an element."""
        return self.value.type.dtype.bytes

    def __repr__(self) -> str:
        """Show the type only."""
        return f"Tensor({self.value.type})"

    def __len__(self) -> int:
        """Return the size of the first axis, if it is known."""
        first = self.shape[0] if self.shape else None
        if not isinstance(first, int):
            raise refusal("the length of a tensor whose first axis is not a known number")
        return first

    def __iter__(self) -> Iterator["Tensor"]:
        """Yield the entries along the first axis, if their number is known."""
        return (self[place] for place in range(len(self)))

    def __getitem__(self, index: Any) -> "Tensor":
        """Return a slice; indices are ints, slices, None and ..."""
        return self._give(Tensor.__getitem__, index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        """Refuse: a tensor is a value, and others may read it."""
        line = source_line("")
        raise LxcError(
            "LXC-E0104",
            "a traced tensor cannot be written into",
            actual=f"written into at {line}" if line else None,
            hint="build another one with lxc.ops.where or lxc.ops.concatenate",
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Answer NumPy's elementwise functions."""
        if method != "__call__" or options:
            raise refusal(f"numpy.{ufunc.__name__} with .{method} or options", "LXC-E0110")
        return call(ufunc, *inputs)

    def __array_function__(
        self, function: Any, types: Iterable[Any], args: Any, options: Mapping[str, Any]
    ) -> Any:
        """Answer NumPy's other functions."""
        model = {"like": self} if function in MAKERS else {}
        return call(function, *args, **options, **model)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the contents of a tensor as an array")

    def __bool__(self) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the truth of a tensor", hint="choose with lxc.ops.where")

    def __float__(self) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the number in a tensor")

    def __int__(self) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the number in a tensor")

    def __index__(self) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the number in a tensor")

    # Equality is elementwise, so a hash can only be that of identity.
    __hash__ = object.__hash__


Operand: TypeAlias = Array | Tensor


def type_of(operand: Any) -> TensorType:
    """Return the type of an array or tensor."""
    return (
        operand.type if isinstance(operand, Tensor) else type_of_array(np.asarray(operand))
    )


def shape_of(operand: Any) -> tuple[Size, ...]:
    """Return the shape of an array or tensor."""
    return operand.shape if isinstance(operand, Tensor) else np.shape(operand)


def element_type(operand: Any) -> DType:
    """Return the element type of an array or tensor."""
    return dtype_of(operand.dtype)


def apply(op: Op, *operands: Operand, **attributes: Attribute) -> Any:
    """Return the only result of `op`: an array if all operands are, else a tensor."""
    (result,) = apply_all(op, *operands, **attributes)
    return result


def apply_all(op: Op, *operands: Operand, **attributes: Attribute) -> tuple[Any, ...]:
    """Return the results of `op`: arrays if all operands are arrays, else tensors."""
    complete: dict[str, Any] = {**op.defaults, **attributes}
    try:
        builder = innermost(operands)
        if builder is None:
            return run_on_arrays(op, tuple(map(np.asarray, operands)), complete)
        values = tuple(value_in(builder, operand) for operand in operands)
        layers = builder.location.layers
        location = Location(layers, source_line(builder.location.source))
        results = builder.add(op, *values, location=location, **complete)
        return tuple(Tensor(value, builder) for value in results)
    except LxcError as error:
        if error.op is None and error.code == "LXC-E0103":
            error.op = f"{op}({', '.join(str(type_of(operand)) for operand in operands)})"
        raise


def run_on_arrays(
    op: Op, arrays: tuple[Array, ...], attributes: Mapping[str, Attribute]
) -> tuple[Array, ...]:
    """Check the types and run the reference."""
    if any(is_symbolic(part) for value in attributes.values() for part in parts_of(value)):
        raise refusal("the number behind a symbolic size, which an array needs,")
    types = op.infer(tuple(map(type_of_array, arrays)), attributes)
    with np.errstate(all="ignore"):
        results = op.run(arrays, attributes)
    return tuple(
        np.asarray(array).astype(result.dtype.numpy, copy=False)
        for array, result in zip(results, types, strict=True)
    )


def innermost(operands: Iterable[Any]) -> Builder | None:
    """Return the builder of the innermost body that an operand comes from."""
    builders = [operand.builder for operand in operands if isinstance(operand, Tensor)]
    return max(builders, key=lambda builder: builder.depth, default=None)


def value_in(builder: Builder, operand: Operand) -> Value:
    """Return the value that stands for `operand` inside `builder`."""
    if isinstance(operand, Tensor):
        return builder.capture(operand.value, operand.builder)
    return builder.array(operand)


def lifted(operands: Iterable[Operand]) -> list[Operand]:
    """Return all operands as tensors if one is: only those take symbolic shapes."""
    listed = list(operands)
    builder = innermost(listed)
    if builder is None:
        return listed
    return [
        x if isinstance(x, Tensor) else Tensor(builder.array(np.asarray(x)), builder)
        for x in listed
    ]


def parts_of(attribute: Attribute) -> tuple[Any, ...]:
    """Return the entries of a tuple, or the attribute alone."""
    return attribute if isinstance(attribute, tuple) else (attribute,)


def is_symbolic(entry: Size) -> bool:
    """Return whether a size is known only at run time."""
    return isinstance(entry, Expression)
