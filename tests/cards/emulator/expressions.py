"""Expressions of the loop language, as functions of a block of threads."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lxc.targets.tvm_api import Expr
from tests.cards.emulator.block import Block
from tests.cards.emulator.calls import Addresses, called, intrinsic_named
from tests.cards.emulator.operators import BINARY, CALLS, FUNCTIONS, Value, converted

Compute = Callable[[Block], Any]
COPYING = -1
"""The number by which a block knows the copies that are under way."""


class Names:
    """The numbers by which a block knows the variables and arrays of a function."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, variable: Any) -> int:
        """Return the number of a variable."""
        return self._numbers.setdefault(variable, len(self._numbers))


def element_type(expression: Expr) -> np.dtype[Any]:
    """Return the type of an expression, or of the lanes of one."""
    name = str(expression.ty).split("x")[0]
    return np.dtype(name)


class Expressions:
    """Makes functions of expressions; those of one kernel share names."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def compute(self, expression: Expr) -> Compute:
        """Return a function that computes an expression for all active threads."""
        kind = type(expression).__name__
        if kind in BINARY:
            return self.binary(BINARY[kind], expression)
        made: Compute = getattr(self, f"compute_{kind.lower()}")(expression)
        return made

    def binary(self, operator: Callable[[Value, Value], Value], node: Expr) -> Compute:
        """Return the function of an operator."""
        x, y = self.compute(node.a), self.compute(node.b)
        return lambda block: operator(x(block), y(block))

    def compute_intimm(self, node: Expr) -> Compute:
        value = np.full((1, 1), node.value).astype(element_type(node))
        return lambda _: value

    def compute_floatimm(self, node: Expr) -> Compute:
        return self.compute_intimm(node)

    def compute_var(self, node: Expr) -> Compute:
        number = self.names.number(node)
        return lambda block: block.values[number]

    def compute_cast(self, node: Expr) -> Compute:
        value, dtype = self.compute(node.value), element_type(node)
        return lambda block: converted(value(block), dtype)

    def compute_not(self, node: Expr) -> Compute:
        value = self.compute(node.a)
        return lambda block: np.logical_not(value(block))

    def compute_bitwisenot(self, node: Expr) -> Compute:
        value = self.compute(node.a)
        return lambda block: np.bitwise_not(value(block))

    def compute_and(self, node: Expr) -> Compute:
        """Return a function that computes what comes second where the first holds."""
        x, y = self.compute(node.a), self.compute(node.b)
        return lambda block: guarded(block, x(block), y, lambda _: np.zeros((1, 1), bool))

    def compute_or(self, node: Expr) -> Compute:
        x, y = self.compute(node.a), self.compute(node.b)
        return lambda block: guarded(block, x(block), lambda _: np.ones((1, 1), bool), y)

    def compute_select(self, node: Expr) -> Compute:
        parts = [
            self.compute(part)
            for part in (node.condition, node.true_value, node.false_value)
        ]
        return lambda block: np.where(*[part(block) for part in parts])

    def compute_let(self, node: Expr) -> Compute:
        number = self.names.number(node.var)
        value, body = self.compute(node.value), self.compute(node.body)

        def compute(block: Block) -> Value:
            block.values[number] = value(block)
            result: Value = body(block)
            return result

        return compute

    def compute_ramp(self, node: Expr) -> Compute:
        base, stride = self.compute(node.base), self.compute(node.stride)
        lanes = np.arange(int(node.lanes))[None, :]
        return lambda block: base(block) + stride(block) * lanes

    def compute_broadcast(self, node: Expr) -> Compute:
        value, lanes = self.compute(node.value), int(node.lanes)
        return lambda block: np.repeat(value(block), lanes, axis=1)

    def compute_shuffle(self, node: Expr) -> Compute:
        vectors = [self.compute(vector) for vector in node.vectors]
        order = [int(lane) for lane in node.indices]

        def compute(block: Block) -> Value:
            found = [vector(block) for vector in vectors]
            rows = max(len(one) for one in found)
            wide = [np.broadcast_to(one, (rows, one.shape[1])) for one in found]
            return np.concatenate(wide, axis=1)[:, order]

        return compute

    def compute_tensorload(self, node: Expr) -> Compute:
        number, index = self.names.number(node.source), self.index(node)
        return lambda block: block.values[number].load(block, index(block))

    def index(self, node: Expr) -> Compute:
        """Return the function that computes the one index of an access."""
        (index,) = node.indices
        return self.compute(index)

    def compute_call(self, node: Expr) -> Compute:
        name = node.op.name.split(".")[-1]
        if name == "address_of":
            return self.address(node.args[0])
        if name == "if_then_else":
            condition, then, otherwise = (self.compute(part) for part in node.args)
            return lambda block: guarded(block, condition(block), then, otherwise)
        if name == "reinterpret":
            value, dtype = self.compute(node.args[0]), element_type(node)
            return lambda block: same_bits(value(block), dtype)
        if name in ("call_extern", "call_pure_extern"):
            return self.extern(node)
        return self.applied(CALLS[name], node.args)

    def applied(self, function: Callable[..., Value], arguments: Any) -> Compute:
        """Return a function that applies another one to the values of arguments."""
        parts = [self.compute(argument) for argument in arguments]
        return lambda block: function(*[part(block) for part in parts])

    def address(self, node: Expr) -> Compute:
        """Return a function that computes addresses of elements."""
        number, index = self.names.number(node.source), self.index(node)
        return lambda block: Addresses(block.values[number], index(block))

    def extern(self, node: Expr) -> Compute:
        """Return the function of a call of a C function."""
        name, *arguments = node.args
        intrinsic = intrinsic_named(name.value)
        if intrinsic is None:
            plain = name.value if name.value in FUNCTIONS else name.value.removesuffix("f")
            return self.applied(FUNCTIONS[plain], arguments)
        parts = [self.compute(argument) for argument in arguments]
        dtype = element_type(node) if str(node.ty) else None

        def compute(block: Block) -> Value:
            given = [part(block) for part in parts]
            return called(block, intrinsic, given, dtype, block.values[COPYING])

        return compute


def same_bits(value: Any, dtype: np.dtype[Any]) -> Value:
    """Return a value as another type of its size; an address becomes a number."""
    numbers = value.numbers() if isinstance(value, Addresses) else value
    return np.ascontiguousarray(numbers).view(dtype)


def guarded(block: Block, condition: Value, then: Compute, otherwise: Compute) -> Value:
    """Return one of two values, each computed only by the threads that take it."""
    parts: list[Value] = []
    for holds, part in ((condition, then), (~condition, otherwise)):
        with block.only(holds) as any_thread:
            if any_thread:
                parts.append(part(block))
    return parts[0] if len(parts) == 1 else np.where(condition, parts[0], parts[1])
