"""Trees of dicts, lists and tuples: flattened to leaves and back, in insertion order.

The order of the leaves is the order of the artifact's buffers, so dict keys are never
sorted. `None`, bool, int, float and str are part of the structure, not leaves: they select
code when a model is traced and never become buffers. Everything else is a leaf. Only the
standard library is imported here, so that the compiler and the runtime can share this file.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any, Literal

from lxc.errors import LxcError

DEEPEST = 100
"""The most levels that a stored tree may have: a bound for those who read foreign files."""

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Kind = Literal["leaf", "none", "static", "dict", "list", "tuple"]
Static = bool | int | float | str


@dataclass(frozen=True)
class Structure:
    """The shape of a tree without its leaves.

    `keys` belongs to a dict, `children` to dict, list and tuple, `value` to a static leaf.
    """

    kind: Kind
    keys: tuple[str, ...] = ()
    children: tuple["Structure", ...] = ()
    value: Static | None = None

    @property
    def leaf_count(self) -> int:
        """The number of leaves below this point."""
        return (
            1 if self.kind == "leaf" else sum(child.leaf_count for child in self.children)
        )

    def paths(self, prefix: str = "") -> list[str]:
        """Return the dotted path of every leaf, list and tuple entries numbered from 0."""
        if self.kind == "leaf":
            return [prefix]
        return [
            path
            for name, child in self.named_children()
            for path in child.paths(join(prefix, name))
        ]

    def statics(self, prefix: str = "") -> list[tuple[str, Static]]:
        """Return path and value of every static leaf."""
        if self.kind == "static" and self.value is not None:
            return [(prefix, self.value)]
        return [
            item
            for name, child in self.named_children()
            for item in child.statics(join(prefix, name))
        ]

    def named_children(self) -> Iterator[tuple[str, "Structure"]]:
        """Yield each child with its key or its number."""
        names = self.keys if self.kind == "dict" else map(str, range(len(self.children)))
        return zip(names, self.children, strict=True)

    def __str__(self) -> str:
        """Print the form that IR text uses: `{weight: *, shape: (3, *), mask: none}`."""
        inner = ", ".join(
            f"{name}: {child}" if self.kind == "dict" else str(child)
            for name, child in self.named_children()
        )
        match self.kind:
            case "leaf":
                return "*"
            case "none":
                return "none"
            case "static":
                return print_static(self.value)
            case "dict":
                return f"{{{inner}}}"
            case "list":
                return f"[{inner}]"
            case "tuple":
                return f"({inner},)" if len(self.children) == 1 else f"({inner})"

    def to_json(self) -> Any:
        """Return a value that `json` can write and `from_json` reads back."""
        match self.kind:
            case "leaf":
                return "*"
            case "none":
                return None
            case "static":
                return {"static": self.value}
            case "dict":
                return {"dict": [[k, c.to_json()] for k, c in self.named_children()]}
            case _:
                return {self.kind: [child.to_json() for child in self.children]}


LEAF = Structure("leaf")
NONE = Structure("none")
EMPTY = Structure("dict")


def join(prefix: str, name: str) -> str:
    """Return the path of the child `name` below `prefix`."""
    return f"{prefix}.{name}" if prefix else name


def print_static(value: Static | None) -> str:
    """Print a static leaf as IR text does; floats in hexadecimal, to read back exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return print_float(value)
    if isinstance(value, str):
        return quote(value)
    return str(value)


def print_float(value: float) -> str:
    """Return `value` in hexadecimal, which reads back exactly: 1.5 is `0x1.8p+0`."""
    digits, mark, exponent = value.hex().partition("p")
    return (
        digits.rstrip("0").rstrip(".") + mark + exponent if "." in digits else value.hex()
    )


def quote(text: str) -> str:
    """Return `text` in double quotes on one line, control characters as escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    escaped = CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped)
    return f'"{escaped}"'


def structure_from_json(value: Any, level: int = 0) -> Structure:
    """Read back `Structure.to_json`; a value of any other form is a coded error."""
    if value == "*":
        return LEAF
    if value is None:
        return NONE
    if isinstance(value, dict) and len(value) == 1 and level < DEEPEST:
        ((kind, body),) = value.items()
        if kind == "static" and isinstance(body, Static):
            return Structure("static", value=body)
        if kind == "dict" and isinstance(body, list):
            pairs = [pair for pair in body if isinstance(pair, list) and len(pair) == 2]
            keys = tuple(key for key, _ in pairs if isinstance(key, str))
            if len(keys) == len(body) == len(set(keys)):
                children = (structure_from_json(child, level + 1) for _, child in pairs)
                return Structure("dict", keys, tuple(children))
        if kind in ("list", "tuple") and isinstance(body, list):
            children = (structure_from_json(child, level + 1) for child in body)
            return Structure(kind, (), tuple(children))
    raise LxcError("LXC-E0105", f"{shortened(value)} does not describe a tree")


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """Return the leaves of `tree` in insertion order, depth first, and its structure."""
    leaves: list[Any] = []
    return leaves, take_apart(tree, leaves, "")


def take_apart(tree: Any, leaves: list[Any], path: str) -> Structure:
    """Append the leaves of `tree` to `leaves` and return its structure."""
    if tree is None:
        return NONE
    if isinstance(tree, bool | int | float | str):
        return Structure("static", value=tree)
    if isinstance(tree, dict):
        for key in tree:
            check_key(key, path)
        children = tuple(take_apart(tree[k], leaves, join(path, k)) for k in tree)
        return Structure("dict", tuple(tree), children)
    if isinstance(tree, list | tuple):
        children = tuple(
            take_apart(child, leaves, join(path, str(i))) for i, child in enumerate(tree)
        )
        return Structure("list" if isinstance(tree, list) else "tuple", (), children)
    leaves.append(tree)
    return LEAF


def check_key(key: object, path: str) -> None:
    """Refuse a dict key that could not be part of a name."""
    if not (isinstance(key, str) and KEY.fullmatch(key)):
        raise LxcError(
            "LXC-E0102",
            f"{key!r} cannot be a name in a tree",
            layer=path or None,
            hint="use letters, digits and underscores, and no digit first",
        )


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Build the tree of `structure` around `leaves`; the inverse of `flatten`."""
    remaining = iter(leaves)
    tree = put_together(structure, remaining)
    if next(remaining, None) is not None:
        raise LxcError("LXC-E0105", f"{len(leaves)} leaves are too many for {structure}")
    return tree


def put_together(structure: Structure, leaves: Iterator[Any]) -> Any:
    """Build one level of a tree, taking leaves in order."""
    match structure.kind:
        case "leaf":
            return next(leaves)
        case "none":
            return None
        case "static":
            return structure.value
        case "dict":
            return {name: put_together(c, leaves) for name, c in structure.named_children()}
        case "list":
            return [put_together(child, leaves) for child in structure.children]
        case "tuple":
            return tuple(put_together(child, leaves) for child in structure.children)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return `tree` with `function` applied to every leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])
