"""Readers of parsed JSON for a closed schema: the form is checked, nothing is guessed."""

from typing import Any

from lxc.errors import LxcError

MOST_ITEMS = 16384
LONGEST_TEXT = 1024


def record(value: Any, what: str, required: set[str], known: set[str]) -> dict[str, Any]:
    """Return `value` if it is an object with all required keys and no unknown ones."""
    if not isinstance(value, dict) or not required <= value.keys() <= known:
        raise refusal(f"{what} does not have the fields {', '.join(sorted(required))}")
    return value


def items(value: Any, what: str) -> list[Any]:
    """Return `value` if it is a list of a length that a model can have."""
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise refusal(f"{what} is not a list of at most {MOST_ITEMS} entries")
    return value


def text(value: Any, what: str) -> str:
    """Return `value` if it is a short string."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise refusal(f"{what} is not a string of at most {LONGEST_TEXT} characters")
    return value


def refusal(problem: str) -> LxcError:
    """Return the error for a description that breaks a rule of the format."""
    return LxcError("LXC-E0402", f"the description of the model is not valid: {problem}")
