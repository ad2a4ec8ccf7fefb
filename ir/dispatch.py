"""What NumPy's functions do on traced tensors, and how a wish is refused with its place."""

import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from lxc.errors import LxcError

Function = TypeVar("Function", bound=Callable[..., Any])

FUNCTIONS: dict[object, Callable[..., Any]] = {}
"""What NumPy's functions do on traced tensors; `lxc.ir.functions` fills it."""

MAKERS: set[object] = set()
"""NumPy functions that only meet a tensor as `like`: the result belongs to its model."""

BOUNDARIES = ("lxc.frontend.record",)
"""Modules that call a layer: frames above them belong to other layers."""


def implements(*numpy_functions: object) -> Callable[[Function], Function]:
    """Make a function answer for NumPy functions that are called on traced tensors."""

    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(numpy_functions, function))
        return function

    return register


def makes(*numpy_functions: object) -> Callable[[Function], Function]:
    """Make a function answer for NumPy functions that make arrays; it takes `like`."""
    MAKERS.update(numpy_functions)
    return implements(*numpy_functions)


def call(function: Any, *args: Any, **options: Any) -> Any:
    """Call what `lxc.ir.functions` declared for a NumPy function."""
    own = FUNCTIONS.get(function)
    name = getattr(function, "__name__", str(function))
    if own is None:
        hint = "lxc.ops holds the functions that are"
        raise refusal(f"numpy.{name} of a tensor", "LXC-E0110", hint)
    for empty in ("out", "device"):
        if options.get(empty, options) is None:
            del options[empty]
    if options.get("order") in ("C", "K"):
        del options["order"]
    try:
        inspect.signature(own).bind(*args, **options)
    except TypeError as error:
        wish = f"numpy.{name} of a tensor with such arguments"
        raise refusal(wish, "LXC-E0110", f"lxc.ops.{name}: {error}") from None
    return own(*args, **options)


def refusal(wish: str, code: str = "LXC-E0104", hint: str | None = None) -> LxcError:
    """Return the error for something that a traced tensor cannot give."""
    inside = "inside a layer of lxc"
    line = source_line(inside)
    summary = f"{wish} is not known while the model is traced"
    actual = None if line == inside else f"asked for at {line}"
    return LxcError(code, summary, actual=actual, hint=hint)


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
