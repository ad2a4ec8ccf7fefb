"""Functions of float64 on dense points: they are the C library's, within four units."""

from pathlib import Path

import numpy as np
import pytest

from lxc.ir.types import Array
from tests.ops.cases import Case, check_close, graph_of
from tests.targets.backends import Library, libraries

ONE = (
    *(
        "exp",
        "tanh",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "cbrt",
        "sin",
        "cos",
        "tan",
    ),
    *("arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh"),
)
TWO = ("arctan2", "hypot")


def points() -> Array:
    """Return points where functions change, tiny and large ones, and those next to one."""
    powers = np.ldexp(1.0, np.arange(-149, 0))
    large = np.ldexp(1.3, np.arange(1, 127))
    spread = (np.linspace(-110, 95, 20_001), np.linspace(-3, 3, 20_001))
    one = np.concatenate([1 + powers[-23:], 1 - powers[-23:]])
    parts = (*spread, powers, -powers, large, -large, one, -one)
    return np.concatenate(parts)


def pairs() -> tuple[Array, Array]:
    """Return drawn pairs of very different sizes."""
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(2, 20_000)) * np.exp2(rng.integers(-20, 20, (2, 20_000)))
    return drawn[0], drawn[1]


@pytest.mark.parametrize("target", libraries())
def test_library_functions_are_within_four_units(target: Library, tmp_path: Path) -> None:
    cases = [Case(name, name, (points(),)) for name in ONE]
    cases += [Case(name, name, pairs()) for name in TWO]
    inputs = [array for case in cases for array in case.operands]
    results, _ = target.load(graph_of("library", cases), tmp_path).run(inputs)
    for case, found in zip(cases, results, strict=True):
        wide = [array.astype(np.longdouble) for array in case.operands]
        with np.errstate(all="ignore"):
            exact = getattr(np, case.name)(*wide).astype(np.float64)
        check_close(found, exact, np.dtype(np.float64), 4.0)
