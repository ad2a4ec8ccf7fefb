"""Read types, sizes, attributes and trees from IR text."""

import math
import re

from lxc.ir.dim import Dim, Quotient, Size, expression, terms
from lxc.ir.op import Attribute
from lxc.ir.token_reader import TokenReader
from lxc.ir.types import LARGEST, DType, TensorType
from lxc.structure import LEAF, NONE, Structure

DTYPES = {str(dtype): dtype for dtype in DType}
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")
STATIC_WORDS = {"true": True, "false": False, "inf": math.inf, "nan": math.nan}

LONGEST_SIZE, HIGHEST_DEGREE = 64, 16
"""Bounds of a size: the work with one grows fast with its terms and factors."""


class AttributeReader(TokenReader):
    """Reads the parts of a line that name no values; `dims` are those of the graph."""

    def __init__(self, text: str) -> None:
        """Start without dimensions."""
        super().__init__(text)
        self.dims: dict[str, Dim] = {}

    def type(self) -> TensorType:
        """Read a type."""
        name = self.word("path", "an element type")
        if name not in DTYPES:
            raise self.error(f"there is no element type {name!r}")
        self.expect("[")
        return TensorType(DTYPES[name], self.list_until("]", self.size))

    def size(self) -> Size:
        """Read a sum of products."""
        total = self.product()
        while self.sees("+") or self.sees("-"):
            sign = -1 if self.next().text == "-" else 1
            total = self.bounded(total + self.product() * sign)
        return total

    def product(self) -> Size:
        """Read factors and floor divisions from the left."""
        total = self.factor()
        while self.sees("*") or self.sees("//"):
            if self.next().text == "*":
                total = self.bounded(total * self.factor())
                continue
            total = self.divided(total)
        return total

    def divided(self, total: Size) -> Size:
        """Read a divisor and return the floor division by it."""
        divisor = self.integer()
        if divisor < 1:
            raise self.error(f"a size cannot be divided by {divisor}")
        if divisions(total) >= HIGHEST_DEGREE:
            raise self.error("this size is divided too often")
        return total // divisor

    def bounded(self, total: Size) -> Size:
        """Return a size that can be worked with, or raise."""
        parts = terms(total)
        degree = max((len(monomial) for monomial, _ in parts), default=0)
        if len(parts) > LONGEST_SIZE or degree > HIGHEST_DEGREE:
            raise self.error("this size is too long")
        if any(abs(factor) > LARGEST for _, factor in parts):
            raise self.error("this size is too large")
        return total

    def factor(self) -> Size:
        """Read a number, the name of a dimension, or something in parentheses."""
        if self.sees("-") or self.sees("("):
            with self.one_level():
                return self.inner_size()
        if self.token.kind == "integer":
            return self.integer()
        name = self.word("path", "a size")
        if name not in self.dims:
            raise self.error(f"there is no dimension {name!r}")
        return expression(self.dims[name])

    def inner_size(self) -> Size:
        """Read what follows a minus sign, or what is in parentheses."""
        if self.takes("-"):
            return self.factor() * -1
        self.expect("(")
        inner = self.size()
        self.expect(")")
        return inner

    def attribute(self) -> tuple[str, Attribute]:
        """Read `name = value`."""
        name = self.word("path", "an attribute")
        self.expect("=")
        return name, self.attribute_value()

    def attribute_value(self) -> Attribute:
        """Read the value of an attribute; its form tells its kind."""
        if self.takes("["):
            with self.one_level():
                return self.list_until("]", self.attribute_value)
        if self.takes("tree"):
            return self.tree()
        if self.token.text in DTYPES:
            return DTYPES[self.next().text]
        following = self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        word = following if self.sees("-") else self.token
        if self.token.kind in ("float", "string") or word.text in STATIC_WORDS:
            return self.static()
        return self.size()

    def static(self) -> bool | int | float | str:
        """Read a static leaf of a tree, or an attribute that looks like one."""
        if self.token.kind == "integer":
            return self.whole_number()
        token = self.next()
        if token.kind == "string":
            return unquote(token.text)
        if token.kind == "float":
            return self.float_of(token.text)
        if token.text == "-":
            return -self.number()
        if token.text in STATIC_WORDS:
            return STATIC_WORDS[token.text]
        self.place -= 1
        raise self.error(f"{self.seen} is no value")

    def float_of(self, text: str) -> float:
        """Return the number of a hexadecimal float."""
        try:
            return float.fromhex(text)
        except OverflowError:
            raise self.error("this number is too large") from None

    def number(self) -> int | float:
        """Read what may stand behind a minus sign."""
        if self.takes("inf"):
            return math.inf
        return self.whole_number()

    def tree(self) -> Structure:
        """Read the nesting of a section."""
        if self.takes("*"):
            return LEAF
        if self.takes("none"):
            return NONE
        for kind in ("unstack", "same"):
            if self.takes(kind):
                return Structure(kind, value=self.integer())
        if self.takes("optional"):
            with self.one_level():
                return Structure("optional", (), (self.tree(),))
        if not any(map(self.sees, "{[(")):
            return Structure("static", value=self.static())
        with self.one_level():
            return self.branches()

    def branches(self) -> Structure:
        """Read the children of a dict, a list or a tuple."""
        if self.takes("{"):
            pairs = self.list_until("}", self.entry)
            return Structure("dict", tuple(k for k, _ in pairs), tuple(c for _, c in pairs))
        if self.takes("["):
            return Structure("list", (), self.list_until("]", self.tree))
        self.expect("(")
        return Structure("tuple", (), self.list_until(")", self.tree))

    def entry(self) -> tuple[str, Structure]:
        """Read one key of a tree and what is below it."""
        key = self.word("path", "a key")
        self.expect(":")
        return key, self.tree()


def divisions(value: Size) -> int:
    """Return how many floor divisions stand one inside the other in a size."""
    inner = [
        atom.numerator
        for monomial, _ in terms(value)
        for atom in monomial
        if isinstance(atom, Quotient)
    ]
    return max((1 + divisions(numerator) for numerator in inner), default=0)


def unquote(text: str) -> str:
    """Return what `lxc.structure.quote` was given."""
    return ESCAPE.sub(lambda found: meaning(found[1]), text[1:-1])


def meaning(escape: str) -> str:
    """Return what stands for an escape, given without its backslash."""
    if escape.startswith("x"):
        return chr(int(escape[1:], 16))
    return "\n" if escape == "n" else escape
