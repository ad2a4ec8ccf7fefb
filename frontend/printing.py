"""Layers as text: the calls that make them, without options that say nothing."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from textwrap import indent
from typing import Any

import numpy as np

from lxc.ir.types import shape_text

WIDEST = 88
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
BY_PLACE = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
UNKNOWN = object()

Argument = tuple[str, str]
"""Keyword and value as text; the keyword is empty for an argument by place."""


def layer_text(layer: Any) -> str:
    """Return the call that makes a layer, each child on lines of its own.

    An option is left out where a layer of the same required arguments has the same.
    """
    arguments, children = described(layer)
    inside = [(name, repr(child)) for name, child in children]
    return call_text(type(layer).__name__, arguments, inside)


def described(layer: Any) -> tuple[list[Argument], list[tuple[str, Any]]]:
    """Return the arguments that say something, and the children by name."""
    values = configuration(layer)
    parameters = parameters_of(type(layer))
    usual = usual_layer(type(layer), values, parameters)
    arguments = arguments_of(parameters, values, usual)
    known = {parameter.name for parameter in parameters}
    children: list[tuple[str, Any]] = []
    for name, value in values.items():
        if is_children(value):
            children += value
        elif name not in known and differs(value, getattr(usual, name, UNKNOWN)):
            arguments.append((name, text_of(value)))
    return arguments, children


def configuration(layer: Any) -> dict[str, Any]:
    """Return what a layer was configured with, by name."""
    if is_dataclass(layer):
        return {f.name: getattr(layer, f.name) for f in fields(layer) if f.repr}
    return {n: value for n, value in vars(layer).items() if n != "__lxc_source__"}


def parameters_of(kind: Any) -> list[inspect.Parameter]:
    """Return what one gives to make a layer of a class."""
    maker: Callable[..., Any] = kind.__init__
    if maker is object.__init__:
        maker = kind.__new__
    return list(inspect.signature(maker).parameters.values())[1:]


def usual_layer(
    kind: Any, values: dict[str, Any], parameters: Sequence[inspect.Parameter]
) -> Any:
    """Return a layer with the same required arguments and no options, or None."""
    required = [p for p in parameters if p.default is p.empty and p.kind not in VARIADIC]
    if not all(p.name in values for p in required):
        return None
    places = [values[p.name] for p in required if p.kind in BY_PLACE]
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            places += values.get(parameter.name, ())
    names = {p.name: values[p.name] for p in required if p.kind not in BY_PLACE}
    try:
        made = kind(*places, **names)
    except Exception:
        # Without its options the layer may contradict itself; then all are shown.
        return None
    return made if type(made) is kind else None


def arguments_of(
    parameters: Iterable[inspect.Parameter], values: dict[str, Any], usual: Any
) -> list[Argument]:
    """Return the arguments that are fields too, by place as long as none is left out."""
    arguments: list[Argument] = []
    by_place = True
    for parameter in parameters:
        name, default = parameter.name, parameter.default
        if name not in values or is_children(values[name]):
            by_place = by_place and parameter.kind is not parameter.VAR_KEYWORD
        elif parameter.kind is parameter.VAR_POSITIONAL:
            arguments += [("", text_of(entry)) for entry in values[name]]
        elif default is parameter.empty or differs(
            values[name], getattr(usual, name, default)
        ):
            by_place = by_place and parameter.kind in BY_PLACE
            arguments.append(("" if by_place else name, text_of(values[name])))
        else:
            by_place = False
    return arguments


def differs(value: Any, other: Any) -> bool:
    """Return whether two settings differ, or cannot be compared."""
    try:
        return value is not other and not bool(value == other)
    except Exception:
        return True


def is_children(value: Any) -> bool:
    """Return whether a setting is the named children of a container."""
    return (
        isinstance(value, tuple)
        and bool(value)
        and all(
            isinstance(entry, tuple)
            and len(entry) == 2
            and hasattr(entry[1], "init_params")
            for entry in value
        )
    )


def text_of(value: Any) -> str:
    """Return a setting as text: functions by name, arrays by type."""
    if hasattr(value, "init_params"):
        return repr(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{shape_text(value.shape)}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, tuple):
        inner = ", ".join(map(text_of, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if inspect.isroutine(value) or isinstance(value, np.ufunc | type):
        return str(value.__name__)
    name = getattr(value, "name", None)
    return name if callable(value) and isinstance(name, str) else repr(value)


def call_text(
    name: str, arguments: Sequence[Argument], children: Sequence[Argument] = ()
) -> str:
    """Return a call on one line if it has no children and fits, else on several."""
    line = f"{name}({', '.join(argument_text(entry, '=') for entry in arguments)})"
    if not children and len(line) <= WIDEST and "\n" not in line:
        return line
    parts = [argument_text(entry, " = ") for entry in (*arguments, *children)]
    lines = indent("".join(f"{part},\n" for part in parts), " " * 4)
    return f"{name}(\n{lines})"


def argument_text(argument: Argument, mark: str) -> str:
    """Return one argument of a call."""
    keyword, value = argument
    return f"{keyword}{mark}{value}" if keyword else value


def record_text(kind: str, owner: Any) -> str:
    """Return the call of `kind` that makes a layer of the Kaun family.

    `owner` holds its settings. Those that are initialisers or functions are left out: they
    say nothing about shapes, and the kind says what is computed.
    """
    arguments: list[Argument] = []
    children: list[Argument] = []
    for name, value in configuration(owner).items() if is_dataclass(owner) else ():
        parts = value if isinstance(value, list | tuple) else (value,)
        if parts and all(hasattr(part, "apply") for part in parts):
            children += [("", repr(part)) for part in parts]
        elif is_dataclass(value) and not name.endswith("init"):
            arguments += [(key, text_of(own)) for key, own in configuration(value).items()]
        elif not callable(value):
            arguments.append((name, text_of(value)))
    return call_text(kind, arguments, children)
