"""How far functions of float32 are from exact results, over all numbers there are.

    python -m tests.targets.accuracy [--step N] [--function NAME] [--target NAME] [--write]

Takes every N-th of the 2^32 bit patterns through compiled code and prints the largest error
in units in the last place of float32, against float64. `--step 1` takes all patterns, some
minutes for each function and target. Functions of two numbers get drawn pairs of patterns
and pairs of moderate size, as many as `--step` leaves of one number. `--write` puts the
table into docs/numerics.md.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from lxc.ir.types import Array
from tests.ops.cases import Case, graph_of
from tests.targets.backends import Compiled, Runner

CHUNK = 1 << 20
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
PAGE = Path(__file__).parents[2] / "docs" / "numerics.md"
START, END = "<!-- accuracy -->\n", "<!-- end of accuracy -->\n"
Exact = Callable[..., Any]


def logistic(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) with all digits of float64 at both ends."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1.0) / (1.0 + small))


def hypot(x: Array, y: Array) -> Array:
    """Return the length, infinite beside an infinity whatever the other is."""
    endless = np.isinf(x) | np.isinf(y)
    return np.asarray(np.where(endless, np.inf, np.hypot(x, y)))


@dataclass(frozen=True)
class Function:
    """A function with its exact form on float64 and the units it may be off by."""

    exact: Exact
    bound: float
    operands: int = 1


FUNCTIONS = {
    "exp": Function(np.exp, 1),
    "exp2": Function(np.exp2, 2),
    "expm1": Function(np.expm1, 2),
    "log": Function(np.log, 1),
    "log1p": Function(np.log1p, 1),
    "log2": Function(np.log2, 1),
    "log10": Function(np.log10, 1),
    "tanh": Function(np.tanh, 2),
    "logistic": Function(logistic, 2),
    "erf": Function(special.erf, 2),
    "sqrt": Function(np.sqrt, 0.5),
    "rsqrt": Function(lambda x: 1 / np.sqrt(x), 2),
    "cbrt": Function(np.cbrt, 1),
    "sin": Function(np.sin, 2),
    "cos": Function(np.cos, 2),
    "tan": Function(np.tan, 1),
    "arcsin": Function(np.arcsin, 1),
    "arccos": Function(np.arccos, 1),
    "arctan": Function(np.arctan, 1),
    "sinh": Function(np.sinh, 1),
    "cosh": Function(np.cosh, 1),
    "arcsinh": Function(np.arcsinh, 1),
    "arccosh": Function(np.arccosh, 1),
    "arctanh": Function(np.arctanh, 1),
    "arctan2": Function(np.arctan2, 1, 2),
    "hypot": Function(hypot, 1, 2),
    "power": Function(np.power, 1, 2),
    "fmod": Function(np.fmod, 0, 2),
}
"""Every function of float32 that is not whole numbers or one instruction."""


def of_bits(bits: Any) -> Array:
    """Return the float32 that have these bit patterns."""
    return np.asarray(bits).astype(np.uint32).view(np.float32)


def operands(function: Function, step: int) -> Iterator[tuple[Array, ...]]:
    """Yield arrays of operands, all of one size."""
    rng = np.random.default_rng(0)
    for start in range(0, 1 << 32, CHUNK * step):
        if function.operands == 1:
            places = start + step * np.arange(CHUNK, dtype=np.uint64)
            yield (of_bits(places & 0xFFFFFFFF),)
            continue
        drawn = rng.integers(0, 1 << 32, (2, CHUNK // 2), dtype=np.uint64)
        sizes = np.exp2(rng.integers(-9, 9, (2, CHUNK // 2)))
        near = (rng.normal(size=sizes.shape) * sizes).astype(np.float32)
        x, y = np.concatenate([of_bits(drawn), near], axis=1)
        yield x, y


def apart(found: Array, exact: Array) -> Array:
    """Return how many units in the last place of float32 results are off.

    An infinity counts as the number after the largest one; what is NaN on one side only is
    infinitely far off, as is a result with the wrong sign.
    """
    limit = 2.0**128
    with np.errstate(invalid="ignore"):
        wide = np.clip(found.astype(np.float64), -limit, limit)
    limited = np.clip(exact, -limit, limit)
    _, exponent = np.frexp(limited)
    exponent = np.where(limited == 0, -126, np.clip(exponent - 1, -126, 127))
    unit = np.ldexp(1.0, exponent - 23)
    with np.errstate(invalid="ignore"):
        units = np.abs(wide - limited) / unit
    both = np.isnan(found) & np.isnan(exact)
    signs = np.signbit(found) == np.signbit(exact)
    return np.where(both, 0.0, np.where(np.isnan(units) | ~signs, np.inf, units))


def exact_results(function: Function, arrays: Sequence[Array]) -> Array:
    """Return what a function gives in float64."""
    with np.errstate(all="ignore"):
        return np.asarray(function.exact(*(x.astype(np.float64) for x in arrays)))


def runner(name: str, arrays: Sequence[Array], target: str, folder: Path) -> Runner:
    """Return compiled code of one function."""
    graph = graph_of(f"sweep_{name}", [Case(name, name, tuple(arrays))])
    return Compiled(target).load(graph, folder)


def worst(name: str, target: str, step: int) -> tuple[float, tuple[float, ...]]:
    """Return the largest error of a function, and where it is."""
    function = FUNCTIONS[name]
    largest, place = 0.0, (0.0,) * function.operands
    empty = [np.zeros(CHUNK, np.float32)] * function.operands
    with tempfile.TemporaryDirectory() as folder:
        ready = runner(name, empty, target, Path(folder))
        for arrays in operands(function, step):
            (found,), _ = ready.run(arrays)
            units = apart(found, exact_results(function, arrays))
            here = int(np.argmax(units))
            if units[here] > largest:
                largest = float(units[here])
                place = tuple(float(x[here]) for x in arrays)
    return largest, place


def table(names: Sequence[str], levels: Sequence[str], step: int) -> str:
    """Return the lines of the table, and print each row when it is known."""
    rows = [("function", "bound", *levels), ("---",) * (2 + len(levels))]
    for name in names:
        found = [worst(name, level, step)[0] for level in levels]
        units = [f"{value:.3f}" if value else "exact" for value in found]
        rows.append((name, str(FUNCTIONS[name].bound), *units))
        print(*rows[-1], flush=True)
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def written(page: str, lines: str) -> str:
    """Return a page with other lines between the two marks."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return before + START + lines + END + after


def main(words: Sequence[str] | None = None) -> None:
    """Sweep what the command line names."""
    parser = argparse.ArgumentParser(description="sweep functions of float32")
    parser.add_argument("--step", type=int, default=61, help="every so many patterns")
    parser.add_argument("--function", action="append", choices=FUNCTIONS)
    parser.add_argument("--target", action="append", choices=LEVELS)
    parser.add_argument("--write", action="store_true", help="into docs/numerics.md")
    given = parser.parse_args(words)
    if given.write and (given.function or given.target):
        parser.error("--write takes every function and target")
    lines = table(given.function or [*FUNCTIONS], given.target or LEVELS, given.step)
    if given.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), lines), "utf-8")


if __name__ == "__main__":
    main()
