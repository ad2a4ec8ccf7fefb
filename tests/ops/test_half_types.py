"""The half types: every number both ways, and sums that are kept in float32."""

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import ml_dtypes
import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from lxc.ir.types import Array, DType, dtype_of
from lxc.targets import TARGETS
from lxc.targets.compile import build_artifact
from tests.ops.cases import Case, graph_of, results
from tests.targets.backends import Backend, Compiled, compiled, everything

HALF: tuple[np.dtype[Any], ...] = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered")
ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
NARROW = [one for one in everything() if one.id != "interpreter-f64"]
named = pytest.mark.parametrize("half", HALF, ids=lambda half: str(half.name))


def every_number(half: np.dtype[Any]) -> Array:
    """Return all 65536 numbers of a half type, NaNs and infinities included."""
    return np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(half)


def hard_numbers(half: np.dtype[Any]) -> Array:
    """Return float32 numbers at and beside every tie between two half numbers, and others.

    Between the largest finite number and infinity there is a tie as well.
    """
    lost = np.uint32(13 if half.name == "float16" else 16)
    exact = every_number(half).astype(np.float32)
    bits, one = exact.view(np.uint32), np.uint32(1)
    tie = bits + (one << (lost - one))
    # Denormal float16 numbers are normal in float32, so their ties are midpoints.
    with np.errstate(all="ignore"):
        middle = ((exact + np.roll(exact, -1)) / np.float32(2)).view(np.uint32)
    drawn = np.random.default_rng(0).integers(0, 1 << 32, 1 << 17, dtype=np.uint32)
    around = [tie, tie - one, tie + one, middle, middle - one, middle + one]
    return np.concatenate([bits, *around, drawn]).view(np.float32)


def nearest(x: Array, half: np.dtype[Any]) -> Array:
    """Return the half numbers nearest to float32 ones, even ones at ties, from scratch."""
    digits, lowest = (10, -14) if half.name == "float16" else (7, -126)
    wide = x.astype(np.float64)
    _, exponent = np.frexp(wide)
    unit = np.ldexp(1.0, np.maximum(exponent - 1, lowest) - digits)
    with np.errstate(all="ignore"):
        near = np.rint(wide / unit) * unit
        limit = np.float64(65504.0) if half.name == "float16" else float(largest(half))
        return np.where(np.abs(near) > limit, np.copysign(np.inf, wide), near)


def largest(half: np.dtype[Any]) -> Any:
    """Return the largest finite number of a half type."""
    numbers = every_number(half).astype(np.float64)
    return numbers[np.isfinite(numbers)].max()


@named
@pytest.mark.parametrize("target", NARROW)
def test_every_half_number_widens_exactly_and_comes_back(
    half: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    x = every_number(half)
    cases = [
        Case("there", "cast", (x,), {"dtype": DType.F32}),
        Case("back", "cast", (x.astype(np.float32),), {"dtype": dtype_of(half)}),
    ]
    found = results(f"widen_{half.name}", cases, target, tmp_path)
    wide, narrow = found["there"][1][0], found["back"][1][0]
    exact = half_value(np.arange(1 << 16), half)
    np.testing.assert_array_equal(wide.astype(np.float64), exact)
    np.testing.assert_array_equal(np.signbit(wide), np.signbit(exact))
    number = ~np.isnan(exact)
    np.testing.assert_array_equal(narrow.view(np.uint16)[number], x.view(np.uint16)[number])
    assert np.isnan(narrow[~number].astype(np.float32)).all()
    if half == np.float16 and isinstance(target, Compiled):
        # Every processor keeps what a NaN says, whatever converts it.
        bits = x.view(np.uint16)[~number].astype(np.uint32)
        quiet = (bits & 0x8000) << 16 | (bits & 0x3FF) << 13 | 0x7FC00000
        np.testing.assert_array_equal(wide.view(np.uint32)[~number], quiet)


def half_value(bits: Array, half: np.dtype[Any]) -> Array:
    """Return what the bits of half numbers mean, by the definition of the format."""
    digits, width = (10, 5) if half.name == "float16" else (7, 8)
    bias = 2 ** (width - 1) - 1
    fraction, exponent = bits % 2**digits, bits // 2**digits % 2**width
    whole = np.where(exponent > 0, fraction + 2**digits, fraction)
    size = np.ldexp(whole.astype(np.float64), np.maximum(exponent, 1) - bias - digits)
    top = exponent == 2**width - 1
    size = np.where(top, np.where(fraction > 0, np.nan, np.inf), size)
    return np.copysign(size, np.where(bits >= 1 << 15, -1.0, 1.0))


@named
@pytest.mark.parametrize("target", NARROW)
def test_float32_rounds_to_the_nearest_half_number_even_at_ties(
    half: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    x = hard_numbers(half)
    case = Case("round", "cast", (x,), {"dtype": dtype_of(half)})
    _, (actual,), _ = results(f"round_{half.name}", [case], target, tmp_path)["round"]
    wanted = nearest(x, half)
    found = actual.astype(np.float64)
    np.testing.assert_array_equal(found, wanted)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(wanted)[number])


def long_sums(half: np.dtype[Any]) -> list[tuple[Case, float]]:
    """Return reductions that a sum kept in the half type would get visibly wrong.

    There, 1 added to 2048 (float16) or to 256 (bfloat16) changes nothing.
    """
    one = np.ones((), half)
    reduce = {"kind": "add"}
    pool = {"kind": "add", "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    flat = {"lhs_batch": (), "rhs_batch": (), "lhs_contract": (1,), "rhs_contract": (0,)}
    turned = {**flat, "rhs_contract": (1,)}
    spatial = {
        "strides": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (1, 1),
        "groups": 1,
    }
    rows, columns = np.full((3, 4096), one), np.full((4096, 5), one)
    left, right = np.full((3, 8192), one), np.full((8192, 5), one)
    cells, kernel = np.full((1, 16, 17, 16), one), np.full((2, 16, 16, 16), one)
    tenth = np.full((3, 8192), 0.1, half)
    exact = 8192 * float(tenth[0, 0]) ** 2
    return [
        (Case("rows", "reduce", (rows,), {**reduce, "axes": (1,)}), 4096),
        (Case("columns", "reduce", (columns,), {**reduce, "axes": (0,)}), 4096),
        (
            Case("window", "reduce_window", (rows,), {**pool, "window": (1, 4096)}),
            4096,
        ),
        (
            Case("tall", "reduce_window", (columns,), {**pool, "window": (4096, 1)}),
            4096,
        ),
        (Case("dot", "dot_general", (left, right), flat), 8192),
        (Case("turned", "dot_general", (left, right.T.copy()), turned), 8192),
        (Case("vector", "dot_general", (left, right[:, 0].copy()), flat), 8192),
        (Case("squares", "dot_general", (tenth, tenth.copy()), turned), exact),
        (Case("conv", "conv", (cells, kernel), spatial), 4096),
        (
            Case("product", "reduce", (rows,), {"kind": "multiply", "axes": (1,)}),
            1,
        ),
    ]


@named
def test_sums_are_kept_in_float32(
    half: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    sums = long_sums(half)
    found = results(f"sums_{half.name}", [case for case, _ in sums], target, tmp_path)
    for case, exact in sums:
        _, (actual,), _ = found[case.name]
        error = np.abs(actual.astype(np.float64) / exact - 1)
        assert error.max() <= ROUNDING[half.name], case.name


@named
def test_running_sums_are_kept_in_float32(
    half: np.dtype[Any], target: Backend, tmp_path: Path
) -> None:
    case = Case(
        "run", "cumulative", (np.ones((2, 4096), half),), {"kind": "add", "axis": 1}
    )
    _, (actual,), _ = results(f"run_{half.name}", [case], target, tmp_path)["run"]
    error = np.abs(actual.astype(np.float64) / np.arange(1, 4097) - 1)
    assert error.max() <= ROUNDING[half.name]


@pytest.mark.parametrize("target", compiled())
def test_conversions_need_no_library(target: Compiled) -> None:
    x, y = np.ones(19, np.float16), np.ones(19, np.float64)
    cases = [
        Case("exp", "exp", (x,)),
        Case("wide", "cast", (x,), {"dtype": DType.F64}),
        Case("narrow", "cast", (y,), {"dtype": DType.F16}),
        Case("short", "cast", (y,), {"dtype": DType.BF16}),
    ]
    graph = graph_of("halves", cases)
    packed = ZipFile(BytesIO(build_artifact(graph, [TARGETS[target.name]], name="halves")))
    code = ELFFile(BytesIO(packed.read(f"code/{target.name}/model.o")))
    symbols = list(code.get_section_by_name(".symtab").iter_symbols())
    missing = {s.name for s in symbols if s.entry.st_shndx == "SHN_UNDEF"}
    assert not {name for name in missing if "hf" in name or "bf" in name}
