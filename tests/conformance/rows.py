"""The rows that layers are held against, and the mark that ties a test to one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
COLUMNS = ("eager", "interpreter", "lowest level", "highest level")


def rows() -> dict[str, tuple[str, str]]:
    """Return every row in order: its name, the section it is in, and what it says."""
    return {name: (section, text) for section, name, text in listed()}


def listed() -> Iterator[tuple[str, str, str]]:
    """Yield section, name and text of every row in the file."""
    section = ""
    for line in (FOLDER / "rows.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            section = line[2:]
        elif line:
            name, _, text = line.partition("  ")
            yield section, name, text


def row(name: str, *, eager_because: str = "") -> pytest.MarkDecorator:
    """Return the mark of a test that pins the row `name`.

    A test without the fixture `column` runs once, in Python. `eager_because` then says why
    there is nothing to compile; the table prints it in the columns of compiled code.
    """
    return pytest.mark.row(name, eager_because)
