"""Apply ops to arrays at once, or to traced tensors as nodes: the same call does both."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeAlias, TypeVar

import numpy as np

from lxc.errors import LxcError
from lxc.ir.builder import Builder
from lxc.ir.dim import Expression, Size
from lxc.ir.node import Location, Value
from lxc.ir.op import Attribute, Op
from lxc.ir.operators import Operators
from lxc.ir.types import Array, DType, TensorType, dtype_of, type_of_array

Function = TypeVar("Function", bound=Callable[..., Any])

FUNCTIONS: dict[object, Callable[..., Any]] = {}
"""What NumPy's functions do on traced tensors; `lxc.ir.functions` fills it."""

BOUNDARIES = ("lxc.frontend.record",)
"""Modules that call a layer: frames above them belong to other layers."""


def implements(*numpy_functions: object) -> Callable[[Function], Function]:
    """Make a function answer for NumPy functions that are called on traced tensors."""

    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(numpy_functions, function))
        return function

    return register


class Tensor(Operators):
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
    def T(self) -> "Tensor":  # noqa: N802 - NumPy's name
        """The tensor with its axes in reverse order."""
        return tensor_of(np.transpose, self)

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
        return tensor_of(Tensor.__getitem__, self, index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        """Refuse: a tensor is a value, and others may read it."""
        line = source_line("")
        raise LxcError(
            "LXC-E0104",
            "a traced tensor cannot be written into",
            actual=f"written into at {line}" if line else None,
            hint="build another one with lxc.ops.where or lxc.ops.concatenate",
        )

    def reshape(self, *shape: Any) -> "Tensor":
        """Return the elements in another shape."""
        return tensor_of(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> "Tensor":
        """Return the tensor with permuted axes."""
        return tensor_of(np.transpose, self, axes[0] if len(axes) == 1 else axes or None)

    def astype(self, dtype: Any) -> "Tensor":
        """Return the elements converted to `dtype`."""
        return tensor_of(np.ndarray.astype, self, dtype)

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """Return the sum along axes."""
        return tensor_of(np.sum, self, axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """Return the mean along axes."""
        return tensor_of(np.mean, self, axis, keepdims=keepdims)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """Return the maximum along axes."""
        return tensor_of(np.max, self, axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """Return the minimum along axes."""
        return tensor_of(np.min, self, axis, keepdims=keepdims)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Answer NumPy's elementwise functions."""
        if method != "__call__" or options:
            raise refusal(f"numpy.{ufunc.__name__} with .{method} or options", "LXC-E0110")
        return call(ufunc, *inputs)

    def __array_function__(
        self, function: Any, types: Iterable[Any], args: Any, options: Mapping[str, Any]
    ) -> Any:
        """Answer NumPy's other functions."""
        return call(function, *args, **options)

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


def call(function: Any, *args: Any, **options: Any) -> Any:
    """Call what `lxc.ir.functions` declared for a NumPy function."""
    own = FUNCTIONS.get(function)
    if own is None:
        name = getattr(function, "__name__", str(function))
        hint = "lxc.ops holds the functions that are"
        raise refusal(f"numpy.{name} of a tensor", "LXC-E0110", hint)
    return own(*args, **options)


def tensor_of(function: Any, *args: Any, **options: Any) -> Tensor:
    """Call what was declared for a NumPy function that returns one tensor."""
    result: Tensor = call(function, *args, **options)
    return result


def refusal(wish: str, code: str = "LXC-E0104", hint: str | None = None) -> LxcError:
    """Return the error for something that a traced tensor cannot give."""
    inside = "inside a layer of lxc"
    line = source_line(inside)
    summary = f"{wish} is not known while the model is traced"
    actual = None if line == inside else f"asked for at {line}"
    return LxcError(code, summary, actual=actual, hint=hint)


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


def source_line(default: str) -> str:
    """Return the line of the user's code that is running, or `default` inside our layers.

    The file is named without its folder, so that it does not depend on where the model
    lies.
    """
    frame = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module in BOUNDARIES and default:
            return default
        if module.split(".")[0] not in ("lxc", "numpy", "functools", "contextlib"):
            return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"
        if frame.f_back is None:
            return default
        frame = frame.f_back
    return default


def parts_of(attribute: Attribute) -> tuple[Any, ...]:
    """Return the entries of a tuple, or the attribute alone."""
    return attribute if isinstance(attribute, tuple) else (attribute,)


def is_symbolic(entry: Size) -> bool:
    """Return whether a size is known only at run time."""
    return isinstance(entry, Expression)
