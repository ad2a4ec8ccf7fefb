"""Small pieces of HTML for notebooks; whatever they are made of is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table with rows below the names of their columns."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def folded(title: str, inside: str, *, is_open: bool = False) -> str:
    """Return HTML that opens below a title."""
    how = " open" if is_open else ""
    return f"<details{how}><summary>{code(title)}</summary>{inside}</details>"


def text(words: str) -> str:
    """Return a text in lines of its own."""
    return f"<pre>{escape(words)}</pre>"


def code(words: str) -> str:
    """Return a text within a line."""
    return f"<code>{escape(words)}</code>"
