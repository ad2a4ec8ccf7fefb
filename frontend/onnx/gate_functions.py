"""The functions of gates as nodes of recurrent networks name them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lxc.errors import LxcError
from lxc.frontend import activations
from lxc.ir import functions as ops

Function = Callable[[Any], Any]
Direction = Literal["forward", "reverse", "bidirectional"]


@dataclass(frozen=True)
class Functions:
    """The functions of the gates as a node names them, for all directions in a row."""

    names: Sequence[str]
    alphas: Sequence[float]
    betas: Sequence[float]
    clip: float | None

    def of(self, direction: Direction, count: int) -> list[tuple[Function, ...]]:
        """Return `count` functions for each direction."""
        directions = 2 if direction == "bidirectional" else 1
        names = list(self.names)
        names = names * directions if len(names) == count else names
        alphas, betas = list(self.alphas), list(self.betas)
        if len(names) != count * directions:
            raise LxcError(
                "LXC-E0103",
                "every gate needs an activation",
                expected=f"{count * directions} names",
                actual=", ".join(names),
            )
        made = [self.function(name, alphas, betas) for name in names]
        return [tuple(made[i : i + count]) for i in range(0, len(made), count)]

    def function(self, name: str, alphas: list[float], betas: list[float]) -> Function:
        """Return a function by its name; it takes its numbers from the front of lists."""
        word = name.lower()
        if word in PLAIN:
            return limited_to(PLAIN[word], self.clip)
        if word not in SCALED:
            raise LxcError("LXC-E0114", f"there is no activation {name}")
        function, alpha, beta = SCALED[word]
        alpha = alphas.pop(0) if alphas else alpha
        if beta is None:
            return limited_to(lambda x: function(x, alpha, 0), self.clip)
        beta = betas.pop(0) if betas else beta
        return limited_to(lambda x: function(x, alpha, beta), self.clip)


def limited_to(function: Function, most: float | None) -> Function:
    """Return a function of x limited to [-most, most], if that is given."""
    if most is None:
        return function
    return lambda x: function(ops.clip(x, -most, most))


def affine(x: Any, alpha: float, beta: float) -> Any:
    """Return alpha * x + beta."""
    return ops.add(ops.multiply(x, alpha), beta)


PLAIN: Mapping[str, Function] = {
    "relu": activations.relu,
    "sigmoid": activations.sigmoid,
    "softplus": activations.softplus,
    "softsign": activations.softsign,
    "tanh": activations.tanh,
}
SCALED: Mapping[str, tuple[Callable[[Any, Any, Any], Any], float, float | None]] = {
    "affine": (affine, 1.0, 0.0),
    "elu": (lambda x, alpha, _: activations.elu(x, alpha), 1.0, None),
    "hardsigmoid": (lambda x, a, b: ops.clip(affine(x, a, b), 0, 1), 0.2, 0.5),
    "leakyrelu": (lambda x, alpha, _: activations.leakyrelu(x, alpha), 0.01, None),
    "scaledtanh": (lambda x, a, b: ops.multiply(ops.tanh(ops.multiply(x, b)), a), 1.0, 1.0),
    "thresholdedrelu": (lambda x, alpha, _: activations.trelu(x, alpha), 1.0, None),
}
