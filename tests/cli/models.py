"""Models that the tests of the command line compile: this file is their SOURCE."""

from typing import Any

import numpy as np

from lxc import kaun, nn

net = nn.Chain(nn.Dense(3, 4, nn.relu), nn.BatchNorm(4), nn.Dense(4, 2))
pair = nn.Parallel(np.add, nn.Dense(3, 2), nn.Dense(4, 2))
layer = kaun.sequential(
    [kaun.linear(in_features=3, out_features=2), kaun.dropout(rate=0.5)]
)
cell = nn.StatefulRecurrentCell(nn.LSTMCell(3, 4))
alone = nn.WrappedFunction(nn.tanh)
number = 7


class Branching(nn.Layer):
    """A layer that asks a traced tensor for its truth."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x if its sum is positive."""
        return (x if x.sum() > 0 else -x), st


class Failing(nn.Layer):
    """A layer that fails in plain Python."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Divide by zero."""
        return x * (1 / len(st)), st


branching = Branching()
failing = Failing()


class Several(nn.Layer):
    """A layer whose output has parts that are no arrays."""

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x in a tree."""
        return {"none": None, "number": 3, "parts": (None, [x])}, st


several = Several()


def make() -> Any:
    """Return a fresh model."""
    return nn.Chain(nn.Dense(3, 5))


def needs(width: int) -> Any:
    """Return a model of some width."""
    return nn.Dense(3, width)


def broken() -> Any:
    """Fail in Python that has nothing to do with layers."""
    return dict[str, Any]()["weights"]


def misused() -> Any:
    """Fail inside of a library."""
    return np.linalg.inv(np.zeros((2, 3)))


lookup = nn.Chain(nn.Embedding(9, 4), nn.Dense(4, 2))
sequence = nn.Recurrence(nn.LSTMCell(3, 4), return_sequence=True)
