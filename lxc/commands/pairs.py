"""Arguments of the form `name=value` and tables of values by tree path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxc.errors import LxcError

PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
RANGE = re.compile(r"(\d+)(?:\.\.(\d+))?")


def pairs(option: str, texts: Sequence[str], example: str) -> dict[str, str]:
    """Return `name=value` arguments as a dict, or refuse the first that is none."""
    found: dict[str, str] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not (mark and value and PATH.fullmatch(name)):
            raise LxcError(
                "LXC-E0001",
                f"{option} {text} cannot be understood",
                expected=f"{option} {example}",
                actual=f"{option} {text}",
            )
        if name in found:
            raise LxcError("LXC-E0001", f"{option} gives {name} twice")
        found[name] = value
    return found


def ranges(texts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the bounds of `--dim` arguments by name; `N=8` means 8 to 8."""
    found: dict[str, tuple[int, int]] = {}
    for name, text in pairs("--dim", texts, "N=1..64").items():
        match = RANGE.fullmatch(text)
        low = int(match[1]) if match else 0
        high = int(match[2] or low) if match else -1
        if high < low:
            raise LxcError(
                "LXC-E0001",
                f"the range of dimension {name} is no range",
                expected=f"--dim {name}=1..64",
                actual=f"--dim {name}={text}",
            )
        found[name] = (low, high)
    return found


def tree_of(values: Mapping[str, Any]) -> Any:
    """Return the tree whose leaves have these paths; numbers 0, 1, ... make a tuple."""
    if "" in values:
        if len(values) > 1:
            raise LxcError("LXC-E0001", "an input is given as a whole and in parts")
        return values[""]
    parts: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        key, _, rest = path.partition(".")
        parts.setdefault(key, {})[rest] = value
    trees = {key: tree_of(part) for key, part in parts.items()}
    if all(key.isdecimal() for key in trees):
        wanted = [str(number) for number in range(len(trees))]
        if sorted(trees, key=int) != wanted:
            raise LxcError(
                "LXC-E0001",
                "the parts of an input are not numbered from 0",
                actual=", ".join(trees),
            )
        return tuple(trees[number] for number in wanted)
    return trees
