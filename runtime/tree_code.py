"""The source of a Python function as it is written, line by line.

Nothing of a tree reaches the source but numbers and its keys, as string literals; every
other value goes in as an object with a name of its own.
"""

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

SMALL = 64
"""The most containers and leaves of a part that has a function of its own."""


class Code:
    """The lines of a function, and the objects that they name."""

    def __init__(self, parameters: str, **names: Any) -> None:
        """Begin without lines."""
        self.parameters = parameters
        self.lines: list[str] = []
        self.names = names

    def constant(self, value: Any) -> str:
        """Return a name for an object."""
        name = f"constant_{len(self.names)}"
        self.names[name] = value
        return name

    def variable(self, text: str) -> str:
        """Return a name for what the expression `text` gives, computed here."""
        name = f"value_{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def stop(self, condition: str, error: str) -> None:
        """Raise an error where a condition holds."""
        self.lines.append(f"if {condition}: raise {error}")

    def function(self, result: str, missing: str = "") -> Callable[..., Any]:
        """Return the function that ends with the expression `result`.

        Where a dict lacks a key, it raises `missing`.
        """
        lines = [*self.lines, f"return {result}"]
        if missing:
            inner = [f"    {line}" for line in lines]
            lines = ["try:", *inner, "except KeyError:", f"    raise {missing} from None"]
        text = "\n    ".join([f"def made({self.parameters}):", *lines])
        names = dict(self.names)
        exec(compile(text, "<made for a tree>", "exec"), names)
        made: Callable[..., Any] = names["made"]
        return made


def literal(key: str) -> str:
    """Return the source of a string."""
    return str.__repr__(key)


def comparison(count: int) -> Callable[[Sequence[Any], Sequence[Any]], bool]:
    """Return the function that tells whether two lists of `count` hold the same objects."""
    if count > SMALL:
        return lambda first, second: all(map(is_, first, second))
    code = Code("first, second")
    ones, others = ([f"{side}{place}" for place in range(count)] for side in "ab")
    if count:
        code.lines = [f"{', '.join(ones)}, = first", f"{', '.join(others)}, = second"]
    same = [f"{one} is {other}" for one, other in zip(ones, others, strict=True)]
    return code.function(" and ".join(same) or "True")
