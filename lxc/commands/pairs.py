"""Arguments of the form `name=value`."""

import re
from collections.abc import Sequence

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
