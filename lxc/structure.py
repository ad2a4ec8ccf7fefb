"""The shape of a tree without its leaves, as text and as JSON.

Only the standard library is imported here, so that the compiler and the runtime can share
this file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any, Literal

from lxc.errors import LxcError

DEEPEST = 100
"""The most levels that a stored tree may have: a bound for those who read foreign files."""

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Kind = Literal[
    "leaf", "none", "static", "dict", "list", "tuple", "optional", "unstack", "same"
]
Static = bool | int | float | str


@dataclass(frozen=True)
class Structure:
    """The shape of a tree without its leaves.

    `keys` belongs to a dict, `children` to dict, list and tuple, `value` to a static leaf.
    An `optional` has one child, which may be missing at run time: a bool leaf in front of
    the child's says whether it is there. An `unstack` is a list of the slices of one leaf
    along the axis `value`. A `same` stands for the leaf with the number `value`, which
    comes before it: the place of a tied parameter.
    """

    kind: Kind
    keys: tuple[str, ...] = ()
    children: tuple["Structure", ...] = ()
    value: Static | None = None

    @property
    def number(self) -> int:
        """The axis of an `unstack`, or the leaf of a `same`."""
        return int(self.value) if self.value is not None else 0

    @property
    def leaf_count(self) -> int:
        """The number of leaves below this point."""
        own = self.kind in ("leaf", "unstack", "optional")
        return own + sum(child.leaf_count for child in self.children)

    def paths(self, prefix: str = "") -> list[str]:
        """Return the dotted path of every leaf, list and tuple entries numbered from 0."""
        if self.kind in ("leaf", "unstack"):
            return [prefix]
        if self.kind == "optional":
            return [join(prefix, PRESENT), *self.children[0].paths(prefix)]
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

    def optional_leaves(self, before: int = 0) -> list[range]:
        """Return the numbers of the leaves of each optional part, `present` first."""
        if self.kind == "optional":
            return [range(before, before + self.leaf_count)]
        found = []
        for child in self.children:
            found += child.optional_leaves(before)
            before += child.leaf_count
        return found

    def ties(self, prefix: str = "") -> list[tuple[str, int]]:
        """Return path and leaf of every `same`."""
        if self.kind == "same":
            return [(prefix, self.number)]
        pairs = self.named_children()
        return [tie for name, child in pairs for tie in child.ties(join(prefix, name))]

    def is_sound(self, before: int = 0) -> bool:
        """Tell whether every `same` stands for a leaf before it."""
        for child in self.children:
            if not child.is_sound(before):
                return False
            before += child.leaf_count
        return self.kind != "same" or self.number < before

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
            case "optional":
                return f"optional {inner}"
            case "unstack" | "same":
                return f"{self.kind} {self.value}"

    def to_json(self) -> Any:
        """Return a value that `json` can write and `from_json` reads back."""
        match self.kind:
            case "leaf":
                return "*"
            case "none":
                return None
            case "static":
                return {"static": self.value}
            case "unstack" | "same":
                return {self.kind: self.value}
            case "dict":
                return {"dict": [[k, c.to_json()] for k, c in self.named_children()]}
            case _:
                return {self.kind: [child.to_json() for child in self.children]}


PRESENT = "present"
"""The last part of the name of the leaf that says whether an optional value is there."""

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
        if kind in ("unstack", "same") and type(body) is int and body >= 0:
            return Structure(kind, value=body)
        if kind in ("list", "tuple") and isinstance(body, list):
            children = (structure_from_json(child, level + 1) for child in body)
            return Structure(kind, (), tuple(children))
        if kind == "optional" and isinstance(body, list) and len(body) == 1:
            return Structure(kind, (), (structure_from_json(body[0], level + 1),))
    raise LxcError("LXC-E0105", f"{shortened(value)} does not describe a tree")
