"""Functions of float32: within their bounds, the same bits in every width, no libm."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import ml_dtypes
import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from lxc.ir.types import Array
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact
from tests.ops.cases import Case, graph_of
from tests.targets.accuracy import (
    END,
    FUNCTIONS,
    LEVELS,
    PAGE,
    START,
    apart,
    exact_results,
    main,
    of_bits,
)
from tests.targets.backends import Compiled, Runner, compiled

SAMPLE = 16411
ONE = [name for name, function in FUNCTIONS.items() if function.operands == 1]
TWO = [name for name, function in FUNCTIONS.items() if function.operands == 2]
# Where formulas change, where results overflow, vanish or stop to change.
TURNS = (
    *(0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 9.0, 10.0, 17.0, 20.0, 27.0, 89.0),
    *(0.34657359, 0.69314718, 1.0397208, 2.0**-10, 2.0**-12, 0.70710678, 1.4142135),
    *(0.78539816, 1.5707964, 3.1415927, 16367173.0, 33554431.0, 1e10, 2.0**19, 2.0**64),
    *(88.72284, 88.722839, 87.336545, 103.27893, 103.97208, 104.0, 126.0, 128.0, 149.0),
    *(150.0, 151.0, 2.0**-126, 2.0**-149, 2.0**127, 3.4028235e38, np.inf),
)


def around(turns: Sequence[float]) -> Array:
    """Return numbers with their neighbours, of both signs, and NaNs of several patterns."""
    bits = np.array(turns, np.float32).view(np.uint32).astype(np.int64)
    near = np.concatenate([np.clip(bits + move, 0, 0x7F800000) for move in range(-3, 4)])
    nans = np.array([0x7F800001, 0x7FC00000, 0x7FFFFFFF])
    positive = np.concatenate([near, nans])
    return of_bits(np.concatenate([positive, positive | 0x80000000]))


def sample() -> Array:
    """Return float32 of all sizes, the powers of two with neighbours, and the turns."""
    spread = of_bits(np.arange(0, 1 << 32, SAMPLE, dtype=np.uint64))
    powers = [2.0**exponent for exponent in range(-149, 128)]
    return np.concatenate([spread, around(powers), around(TURNS)])


def pairs() -> tuple[Array, Array]:
    """Return every turn with every other, whole numbers, and drawn pairs."""
    turns = np.concatenate([around(TURNS)[::5], np.arange(-9.0, 10.0, 0.5)])
    x, y = np.meshgrid(turns.astype(np.float32), turns.astype(np.float32))
    rng = np.random.default_rng(0)
    drawn = of_bits(rng.integers(0, 1 << 32, (2, 100_000), dtype=np.uint64))
    near = rng.normal(size=(2, 100_000)) * np.exp2(rng.integers(-9, 9, (2, 100_000)))
    first, second = np.concatenate([drawn, near.astype(np.float32)], axis=1)
    return np.concatenate([x.ravel(), first]), np.concatenate([y.ravel(), second])


def ready(
    names: Sequence[str], arrays: Sequence[Array], target: Compiled, at: Path
) -> Runner:
    """Return compiled code of several functions, each with operands of its own."""
    cases = [Case(name, name, tuple(arrays)) for name in names]
    return target.load(graph_of(f"functions_{arrays[0].size}", cases), at)


@pytest.mark.parametrize(("names", "count"), [(ONE, 1), (TWO, 2)], ids=["one", "two"])
@pytest.mark.parametrize("target", compiled())
def test_functions_are_within_their_bounds(
    names: list[str], count: int, target: Compiled, tmp_path: Path
) -> None:
    arrays = pairs() if count == 2 else (sample(),)
    found, _ = ready(names, arrays, target, tmp_path).run([*arrays] * len(names))
    for name, result in zip(names, found, strict=True):
        units = apart(result, exact_results(FUNCTIONS[name], arrays))
        place = int(np.argmax(units))
        told = f"{name} of {[x[place] for x in arrays]} is {result[place]}: {units[place]}"
        assert units[place] <= FUNCTIONS[name].bound, told


@pytest.mark.parametrize("target", [*compiled()[:1], *compiled()[1:][-1:]])
def test_an_element_has_the_same_bits_in_every_width(
    target: Compiled, tmp_path: Path
) -> None:
    names = [*ONE, *TWO]
    parts = 31  # A whole vector and one of every smaller width.
    turns = np.concatenate([around(TURNS), sample()[:: 1 << 9]])
    x = turns[: turns.size // parts * parts]
    y = np.random.default_rng(0).permutation(x)
    counts = [FUNCTIONS[name].operands for name in names]

    def results(one: Array, two: Array, at: Path) -> list[Array]:
        inputs = [array for count in counts for array in (one, two)[:count]]
        cases = [
            Case(name, name, (one, two)[:count])
            for name, count in zip(names, counts, strict=True)
        ]
        key = (one.size, at)
        if key not in made:
            made[key] = target.load(graph_of(f"width_{one.size}", cases), at)
        return [np.array(found) for found in made[key].run(inputs)[0]]

    made: dict[tuple[int, Path], Runner] = {}
    whole = results(np.repeat(x, 16), np.repeat(y, 16), tmp_path)
    for start in range(0, x.size, parts):
        here = slice(start, start + parts)
        for name, short, long in zip(
            names, results(x[here], y[here], tmp_path), whole, strict=True
        ):
            wide = long.reshape(-1, 16)[here]
            same = (short[:, None].view(np.uint32) == wide.view(np.uint32)) | np.isnan(wide)
            assert same.all(), f"{name} near {x[here][~same.all(axis=1)]}"
            np.testing.assert_array_equal(np.isnan(short), np.isnan(wide[:, 0]), name)


@pytest.mark.parametrize(
    ("level", "kind"),
    list(zip(LEVELS, ("float32", "float16", "bfloat16"), strict=True)),
)
def test_functions_need_no_library(level: str, kind: str) -> None:
    names = [*FUNCTIONS, "remainder", "floor_divide"]
    counts = [FUNCTIONS[name].operands if name in FUNCTIONS else 2 for name in names]
    one = np.ones(4, np.dtype(getattr(ml_dtypes, kind, kind)))
    cases = [
        Case(name, name, (one,) * count) for name, count in zip(names, counts, strict=True)
    ]
    packed = build_artifact(graph_of("calls", cases), [TARGETS[level]], name="calls")
    code = ELFFile(BytesIO(ZipFile(BytesIO(packed)).read(f"code/{level}/model.o")))
    symbols = list(code.get_section_by_name(".symtab").iter_symbols())
    missing = {s.name for s in symbols if s.entry.st_shndx == "SHN_UNDEF" and s.name}
    assert not {name for name in missing if not name.startswith(("__TVM", "mem"))}


def test_wrong_results_are_told_from_right_ones() -> None:
    one, after = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    found = np.array([one, after, np.nan, 0.0, np.inf, 1e-45, np.nan], np.float32)
    exact = np.array([1.0, 1.0, 1.0, -0.0, 2.0**128 * (1 - 2.0**-25), 0.0, np.nan])
    units = [0.0, 1.0, np.inf, np.inf, 0.5, 1.0, 0.0]
    np.testing.assert_array_equal(apart(found, exact), units)


def test_the_table_of_the_page_keeps_the_bounds() -> None:
    page = PAGE.read_text("utf-8")
    lines = page.partition(START)[2].partition(END)[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines]
    assert rows[0] == ["function", "bound", *LEVELS]
    told = {name: (float(bound), units) for name, bound, *units in rows[2:]}
    assert {name: bound for name, (bound, _) in told.items()} == {
        name: function.bound for name, function in FUNCTIONS.items()
    }
    for bound, units in told.values():
        assert all(one == "exact" or float(one) <= bound for one in units)


def test_the_command_prints_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--step", "8192", "--function", "exp", "--target", "x86-64-v2"])
    name, bound, units = capsys.readouterr().out.split()
    assert (name, bound) == ("exp", "1")
    assert 0.5 < float(units) <= 1
