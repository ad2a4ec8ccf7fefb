"""Read types, sizes, attributes and trees from IR text."""

import math
import re

from lxc.ir.dim import Dim, Size, expression
from lxc.ir.op import Attribute
from lxc.ir.token_reader import TokenReader
from lxc.ir.types import DType, TensorType
from lxc.tree import LEAF, NONE, Structure

DTYPES = {str(dtype): dtype for dtype in DType}
STATIC_WORDS = {"true": True, "false": False, "inf": math.inf, "nan": math.nan}


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
            total = total + self.product() * sign
        return total

    def product(self) -> Size:
        """Read factors and floor divisions from the left."""
        total = self.factor()
        while self.sees("*") or self.sees("//"):
            if self.next().text == "*":
                total = total * self.factor()
            else:
                total = total // self.integer()
        return total

    def factor(self) -> Size:
        """Read a number, the name of a dimension, or something in parentheses."""
        if self.takes("-"):
            return self.factor() * -1
        if self.takes("("):
            inner = self.size()
            self.expect(")")
            return inner
        if self.token.kind == "integer":
            return self.integer()
        name = self.word("path", "a size")
        if name not in self.dims:
            raise self.error(f"there is no dimension {name!r}")
        return expression(self.dims[name])

    def attribute(self) -> tuple[str, Attribute]:
        """Read `name = value`."""
        name = self.word("path", "an attribute")
        self.expect("=")
        return name, self.attribute_value()

    def attribute_value(self) -> Attribute:
        """Read the value of an attribute; its form tells its kind."""
        if self.takes("["):
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
        token = self.next()
        match token.kind:
            case "float":
                return float.fromhex(token.text)
            case "string":
                return unquote(token.text)
            case "integer":
                return int(token.text)
        if token.text == "-":
            return -self.number()
        if token.text in STATIC_WORDS:
            return STATIC_WORDS[token.text]
        self.place -= 1
        raise self.error(f"{token.text!r} is no value")

    def number(self) -> int | float:
        """Read what may stand behind a minus sign."""
        if self.takes("inf"):
            return math.inf
        return int(self.word("integer", "a whole number"))

    def tree(self) -> Structure:
        """Read the nesting of a section."""
        if self.takes("*"):
            return LEAF
        if self.takes("none"):
            return NONE
        if self.takes("{"):
            pairs = self.list_until("}", self.entry)
            return Structure("dict", tuple(k for k, _ in pairs), tuple(c for _, c in pairs))
        if self.takes("["):
            return Structure("list", (), self.list_until("]", self.tree))
        if self.takes("("):
            return Structure("tuple", (), self.list_until(")", self.tree))
        return Structure("static", value=self.static())

    def entry(self) -> tuple[str, Structure]:
        """Read one key of a tree and what is below it."""
        key = self.word("path", "a key")
        self.expect(":")
        return key, self.tree()


def unquote(text: str) -> str:
    """Return what `lxc.tree.quote` was given."""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text[1:-1])
