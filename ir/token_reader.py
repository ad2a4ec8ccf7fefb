"""Walk over the tokens of IR text."""

from collections.abc import Callable
from typing import TypeVar

from lxc.errors import LxcError
from lxc.ir.lexer import Token, parse_error, tokens_of

Item = TypeVar("Item")


class TokenReader:
    """A place in a list of tokens."""

    def __init__(self, text: str) -> None:
        """Start at the first token."""
        self.text = text
        self.tokens = tokens_of(text)
        self.place = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place]

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
            raise self.error(f"{text!r} is expected, not {self.token.text!r}")

    def word(self, kind: str, what: str) -> str:
        """Return the text of the next token, which must be of `kind`."""
        if self.token.kind != kind:
            raise self.error(f"{what} is expected, not {self.token.text!r}")
        return self.next().text

    def integer(self) -> int:
        """Read an integer."""
        negative = self.takes("-")
        number = int(self.word("integer", "a whole number"))
        return -number if negative else number

    def list_until(self, end: str, item: Callable[[], Item]) -> tuple[Item, ...]:
        """Read items between commas up to and over `end`; a last comma may stand alone."""
        items: list[Item] = []
        while not self.takes(end):
            items.append(item())
            if not self.sees(end):
                self.expect(",")
        return tuple(items)
