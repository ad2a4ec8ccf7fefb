"""Walk over the tokens of IR text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lxc.errors import LxcError
from lxc.ir.lexer import Token, parse_error, shortened, tokens_of
from lxc.structure import DEEPEST

Item = TypeVar("Item")
MOST_DIGITS = 40
"""The longest whole number that is read: all that are meant fit 64 bits."""


class TokenReader:
    """A place in a list of tokens."""

    def __init__(self, text: str) -> None:
        """Start at the first token."""
        self.text = text
        self.tokens = tokens_of(text)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place]

    @property
    def seen(self) -> str:
        """The next token as a message shows it."""
        return repr(shortened(self.token.text))

    def error(self, problem: str) -> LxcError:
        """Return the error for the line of the next token."""
        return parse_error(self.token.line, problem, self.text)

    def at_end(self) -> bool:
        """Return whether every token was read."""
        return self.token.kind == "end"

    def next(self) -> Token:
        """Return the next token and step over it."""
        token = self.token
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def sees(self, text: str) -> bool:
        """Return whether the next token is `text`."""
        return self.token.text == text and self.token.kind != "string"

    def takes(self, text: str) -> bool:
        """Step over the next token if it is `text`; return whether it was."""
        found = self.sees(text)
        self.place += found
        return found

    def expect(self, text: str) -> None:
        """Step over `text`, or raise."""
        if not self.takes(text):
            raise self.error(f"{text!r} is expected, not {self.seen}")

    def word(self, kind: str, what: str) -> str:
        """Return the text of the next token, which must be of `kind`."""
        if self.token.kind != kind:
            raise self.error(f"{what} is expected, not {self.seen}")
        return self.next().text

    def integer(self) -> int:
        """Read an integer."""
        negative = self.takes("-")
        number = self.whole_number()
        return -number if negative else number

    def whole_number(self) -> int:
        """Read digits."""
        if self.token.kind == "integer" and len(self.token.text) > MOST_DIGITS:
            raise self.error("this number is too large")
        return int(self.word("integer", "a whole number"))

    @contextmanager
    def one_level(self) -> Iterator[None]:
        """Count one level of nesting while it is read; raise where there are too many."""
        if self.depth >= DEEPEST:
            raise self.error(f"this is nested more than {DEEPEST} levels deep")
        self.depth += 1
        yield
        self.depth -= 1

    def list_until(self, end: str, item: Callable[[], Item]) -> tuple[Item, ...]:
        """Read items between commas up to and over `end`; a last comma may stand alone."""
        items: list[Item] = []
        while not self.takes(end):
            items.append(item())
            if not self.sees(end):
                self.expect(",")
        return tuple(items)
