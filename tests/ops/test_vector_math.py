"""exp, tanh and the logistic function on dense points: the promised bounds hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.ir.types import Array
from tests.ops.cases import Case, check_close, graph_of
from tests.targets.backends import Backend, Interpreter

EXACT: dict[str, tuple[Callable[[Array], Any], float]] = {
    "exp": (np.exp, 1.0),
    "tanh": (np.tanh, 2.0),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), 2.0),
}


def points() -> Array:
    """Return points over the whole range, denser where results change, and tiny ones."""
    wide, middle = np.linspace(-110, 95, 200_001), np.linspace(-12, 12, 200_001)
    tiny = np.ldexp(1.0, np.arange(-149, 0))
    return np.concatenate([wide, middle, tiny, -tiny]).astype(np.float32)


@pytest.mark.parametrize("name", EXACT)
def test_a_function_is_within_its_bound(name: str, target: Backend, tmp_path: Path) -> None:
    x = points()
    graph = graph_of(f"dense_{name}", [Case(name, name, (x,))])
    with np.errstate(over="ignore"):
        (actual,), _ = target.load(graph, tmp_path).run([x])
        function, ulps = EXACT[name]
        # NumPy's own functions in float32 are less exact.
        ulps = 4.0 if isinstance(target, Interpreter) else ulps
        check_close(actual, function(x.astype(np.float64)), np.dtype(np.float32), ulps)


def test_tanh_is_odd_and_keeps_the_sign_of_zero(target: Backend, tmp_path: Path) -> None:
    x = points()
    case = Case("tanh", "tanh", (x,))
    runner = target.load(graph_of("odd", [case]), tmp_path)
    (there,), (back,) = runner.run([x])[0], runner.run([-x])[0]
    np.testing.assert_array_equal(there, -back)
    np.testing.assert_array_equal(np.signbit(there), np.signbit(x))
    np.testing.assert_array_equal(np.signbit(back), np.signbit(-x))
