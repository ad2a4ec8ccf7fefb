"""Split IR text into tokens that know their line."""

import re
from dataclasses import dataclass

from lxc.errors import LxcError, printable

LONGEST_SHOWN = 200
"""The most characters of a line that a message shows."""

TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|;[^\n]*)
      | (?P<newline>\n)
      | (?P<value>[%@$\#^][A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)
      | (?P<string>"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\(?:[\\"n]|x[0-9a-f]{2}))*")
      | (?P<float>-?0x[01](?:\.[0-9a-f]+)?p[+-][0-9]+)
      | (?P<path>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*|[0-9]+(?:\.[A-Za-z0-9_]+)+)
      | (?P<integer>[0-9]+)
      | (?P<symbol>\.\.|//|[-+*()\[\]{}:,=])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A piece of text, what it is, and the number of its line from 1."""

    kind: str
    text: str
    line: int


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of `text` without spaces and comments, then an end token."""
    tokens: list[Token] = []
    line, place = 1, 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            problem = (
                "a string has no end, a control character or an unknown escape"
                if text[place] == '"'
                else f"{text[place]!r} means nothing here"
            )
            raise parse_error(line, problem, text)
        place = match.end()
        kind = str(match.lastgroup)
        if kind == "newline":
            line += 1
        elif kind != "space":
            tokens.append(Token(kind, match.group(), line))
    last = tokens[-1].line if tokens else 1
    return [*tokens, Token("end", "the end of the text", last)]


def parse_error(line: int, problem: str, text: str) -> LxcError:
    """Return the error that shows a line of IR text."""
    lines = text.split("\n")
    shown = shortened(lines[line - 1].strip())
    return LxcError("LXC-E0201", f"line {line}: {problem}", actual=shown or None)


def shortened(text: str) -> str:
    """Return foreign text as a message shows it: not too long, nothing to obey in it."""
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ..."
    return printable(shown)
