"""Small pieces of HTML for notebooks; whatever they are made of is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

MOST_ROWS = 500
LONGEST = 200_000
"""A notebook stores what it shows: the rows of a table, and the characters of a text."""


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table with rows below the names of their columns, as many as fit."""
    every = list(rows)
    left = len(every) - MOST_ROWS
    rest = f"<p>and {left:,} more rows</p>" if left > 0 else ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in every[:MOST_ROWS]
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
    )


def folded(title: str, inside: str, *, is_open: bool = False) -> str:
    """Return HTML that opens below a title."""
    how = " open" if is_open else ""
    return f"<details{how}><summary>{code(title)}</summary>{inside}</details>"


def text(words: str) -> str:
    """Return a text in lines of its own, as much of it as fits."""
    left = len(words) - LONGEST
    rest = f"<p>and {left:,} more characters</p>" if left > 0 else ""
    return f"<pre>{escape(words[:LONGEST])}</pre>{rest}"


def code(words: str) -> str:
    """Return a text within a line."""
    return f"<code>{escape(words)}</code>"
