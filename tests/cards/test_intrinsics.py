"""Every intrinsic means in NumPy, in C++ and by NVIDIA's documentation the same."""

import ctypes
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from lxc.targets.cuda import intrinsics as named
from lxc.targets.cuda import support
from lxc.targets.cuda.architectures import LATER, SM_80, SM_90, Architecture
from lxc.targets.cuda.device_code import DeviceSource, device_source
from lxc.targets.cuda.intrinsic import Intrinsic
from lxc.targets.cuda.intrinsics import INTRINSICS, SETTLED, definitions
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.emulated import compiled, program
from tests.cards.emulator.launch import EmulatedKernel, Output
from tests.cards.intrinsic_kernels import (
    LANES,
    fragment_kernel,
    matrix_kernel,
    memory_kernel,
    pair_kernel,
    value_kernel,
)

Array = NDArray[Any]
RANDOM = np.random.default_rng(7)
LANE = np.arange(LANES)
NUMBERS = RANDOM.normal(size=LANES).astype("float32")
OTHERS = RANDOM.normal(size=LANES).astype("float32") * np.float32(1e-3)
PICKED = RANDOM.integers(0, 32, LANES).astype("int32")
WHERE = (RANDOM.random(LANES) < 0.3).astype("int32")
HALVES = RANDOM.normal(size=(4, 8, 8)).astype("float16")
WEIGHTS = np.array([0, 1, 2.0**-40, 2.0**-127, *RANDOM.random(LANES - 4)], "float32")
FOUR_EACH = RANDOM.normal(size=4 * LANES).astype("float32")


@dataclass(frozen=True)
class Case:
    """A kernel of one warp with its inputs, and what it must write."""

    name: str
    kernel: Any
    inputs: tuple[Array, ...]
    expected: Array
    inexact: float = 0.0


def value(intrinsic: Intrinsic, expected: Array, *inputs: Array) -> Case:
    """Return the case of an intrinsic that returns a number in each lane."""
    types = [str(one.dtype) for one in inputs]
    kernel = value_kernel(intrinsic, types, str(expected.dtype))
    return Case(intrinsic.name, kernel, inputs, expected)


def tf32(numbers: Array) -> Array:
    """Return numbers with ten bits behind the point, ties away from zero."""
    mantissa, exponent = np.frexp(numbers.astype("float64"))
    scaled = mantissa * 2.0**11
    rounded = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    finite = np.ldexp(rounded, exponent - 11).astype("float32")
    return np.where(np.isfinite(numbers), finite, numbers).astype("float32").view("uint32")


def numbers() -> list[Case]:
    """Return the cases of intrinsics that compute one number."""
    fused = NUMBERS.astype("float64") * OTHERS - NUMBERS[::-1]
    wide = np.array([1 + 2.0**-30] * LANES)
    return [
        value(named.MULTIPLY_ADD, fused.astype("f4"), NUMBERS, OTHERS, -NUMBERS[::-1]),
        Case(
            "lxc_multiply_add_f64",
            value_kernel(named.MULTIPLY_ADD, ["float64"] * 3, "float64"),
            (wide, wide, -np.ones(LANES)),
            np.full(LANES, 2.0**-29 + 2.0**-60),
        ),
        value(named.SETTLED, NUMBERS, NUMBERS),
        value(named.TO_TF32, tf32(NUMBERS), NUMBERS),
        split(named.SPLIT_BF16, 8, 1.0, 2.0**-126),
        split(named.SPLIT_F16, 11, 2.0**15, 2.0**-24),
    ]


def split(intrinsic: Intrinsic, digits: int, grown: float, least: float) -> Case:
    """Return the case of numbers that become two of a half type with so many digits."""
    upper, lower = (pieces(one, digits, grown, least) for one in (WEIGHTS, WEIGHTS[::-1]))
    words = [
        bits_of(first, digits) | bits_of(second, digits) << 16
        for first, second in zip(upper, lower, strict=True)
    ]
    expected = np.stack(words, -1).astype("uint32").reshape(-1)
    inputs = (WEIGHTS, np.ascontiguousarray(WEIGHTS[::-1]))
    return Case(intrinsic.name, pair_kernel(intrinsic), inputs, expected)


def pieces(numbers: Array, digits: int, grown: float, least: float) -> tuple[Array, Array]:
    """Return the upper digits of numbers, and those behind them; none is below `least`."""
    rest, found = numbers.astype("float64") * grown, []
    for _ in range(2):
        some = np.where(numbers > 0, np.maximum(rest, least), rest)
        exponents = np.frexp(some)[1]
        last = np.maximum(exponents - digits, np.log2(least)).astype(int)
        found.append(np.ldexp(np.floor(np.ldexp(some, -last)), last))
        rest = some - found[-1]
    return found[0], found[1]


def bits_of(numbers: Array, digits: int) -> Array:
    """Return the bits of numbers of a half type."""
    kind = "float16" if digits == 11 else ml_dtypes.bfloat16
    return numbers.astype(kind).view("uint16").astype("uint32")


def shuffles() -> list[Case]:
    """Return the cases of intrinsics by which lanes tell each other something."""
    return [
        value(named.SHUFFLE_XOR, NUMBERS[LANE ^ 12], NUMBERS, np.full(LANES, 12, "i4")),
        value(named.ANY_LANE, np.ones(LANES, "int32"), WHERE),
    ]


def moves() -> list[Case]:
    """Return the cases of copies through shared memory, and of matrices that lie there."""
    fours = FOUR_EACH.reshape(LANES, 4)
    half = np.where(WHERE[:, None], fours, 0).astype("float32").reshape(-1)
    cases = [Case("lxc_load_16", memory_kernel(None, 4), (FOUR_EACH, WHERE), FOUR_EACH)]
    for words, intrinsic in (
        (4, named.COPY_16_LATER),
        (2, named.COPY_8_LATER),
        (1, named.COPY_4_LATER),
    ):
        kernel = memory_kernel(intrinsic, words)
        cases.append(Case(intrinsic.name, kernel, (FOUR_EACH, WHERE), half))
    flat = HALVES.reshape(-1)
    for intrinsic, turned in (
        (named.LOAD_MATRICES, HALVES),
        (named.LOAD_MATRICES_TURNED, HALVES.transpose(0, 2, 1)),
    ):
        pairs = np.ascontiguousarray(turned).reshape(4, 8, 4, 2)
        held = np.ascontiguousarray(pairs.transpose(1, 2, 0, 3)).reshape(-1)
        kernel = matrix_kernel(intrinsic)
        cases.append(Case(intrinsic.name, kernel, (flat.view("u2"),), held.view("uint32")))
    return cases


def a_pairs(i: int) -> tuple[Array, Array]:
    """Return row and column of number `i` of the left fragment of 16-bit numbers."""
    group, member = LANE >> 2, LANE % 4
    row = group if 0 <= i < 2 or 4 <= i < 6 else group + 8
    return row, member * 2 + (i & 1) + (0 if i < 4 else 8)


def b_pairs(i: int) -> tuple[Array, Array]:
    """Return row and column of number `i` of the right fragment of 16-bit numbers."""
    return (LANE % 4) * 2 + (i & 1) + (0 if i < 2 else 8), LANE >> 2


def a_words(i: int) -> tuple[Array, Array]:
    """Return row and column of number `i` of the left fragment of 32-bit numbers."""
    group, member = LANE >> 2, LANE % 4
    return (group if i in (0, 2) else group + 8), (member if i < 2 else member + 4)


def b_words(i: int) -> tuple[Array, Array]:
    """Return row and column of number `i` of the right fragment of 32-bit numbers."""
    return LANE % 4 + 4 * i, LANE >> 2


def c_words(i: int) -> tuple[Array, Array]:
    """Return row and column of number `i` of a result."""
    return (LANE >> 2) + (0 if i < 2 else 8), (LANE % 4) * 2 + (i & 1)


Place = Callable[[int], tuple[Array, Array]]


def fragment(matrix: Array, place: Place, count: int) -> Array:
    """Return what the lanes hold of a matrix, lane by lane."""
    return np.stack([matrix[place(i)] for i in range(count)], axis=1).reshape(-1)


def products() -> list[Case]:
    """Return the cases of the matrix units, with matrices of random numbers."""
    cases = []
    for intrinsic, dtype, depth, left, right in (
        (named.MULTIPLY_BF16, ml_dtypes.bfloat16, 16, a_pairs, b_pairs),
        (named.MULTIPLY_F16, np.float16, 16, a_pairs, b_pairs),
        (named.MULTIPLY_TF32, np.float32, 8, a_words, b_words),
    ):
        a = RANDOM.normal(size=(16, depth)).astype(dtype)
        b = RANDOM.normal(size=(depth, 8)).astype(dtype)
        c = RANDOM.normal(size=(16, 8)).astype("float32")
        read_a, read_b = (cut(one) for one in (a, b))
        expected = c + read_a @ read_b
        inputs = (
            fragment(c, c_words, 4),
            fragment(a, left, 8 if depth == 16 else 4).view("uint32"),
            fragment(b, right, 4 if depth == 16 else 2).view("uint32"),
        )
        held = fragment(expected.astype("float32"), c_words, 4)
        kernel = fragment_kernel(intrinsic)
        cases.append(Case(intrinsic.name, kernel, inputs, held, inexact=2e-6))
    return cases


def cut(matrix: Array) -> Array:
    """Return numbers as a product reads them: of float32 numbers the upper bits."""
    if matrix.dtype == np.float32:
        matrix = (matrix.view("uint32") & np.uint32(0xFFFFE000)).view("float32")
    return matrix.astype("float64")


CASES = [*numbers(), *shuffles(), *moves(), *products()]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = Path(tmp_path_factory.mktemp("intrinsics")) / "kernels.so"
    path.write_bytes(compiled(program(sources().kernels)))
    return ctypes.CDLL(str(path))


def sources() -> DeviceSource:
    """Return the source of the kernels of all cases."""
    return device_source({f"use_{case.name}": case.kernel for case in CASES})


def check(case: Case, found: Array) -> None:
    """Check what a kernel wrote."""
    np.testing.assert_allclose(found, case.expected, rtol=case.inexact, atol=case.inexact)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_meaning_in_numpy_is_that_of_the_documentation(case: Case) -> None:
    found = np.zeros_like(case.expected)
    EmulatedKernel(case.kernel).launch(*(one.copy() for one in case.inputs), Output(found))
    check(case, found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_form_for_processors_is_that_of_the_documentation(
    case: Case, library: ctypes.CDLL
) -> None:
    found = np.zeros_like(case.expected)
    launch(library, case.name, [*case.inputs, found])
    check(case, found)


def launch(library: ctypes.CDLL, name: str, arrays: Sequence[Array]) -> None:
    """Run one warp of a kernel of a library."""
    addresses = [ctypes.c_void_p(one.ctypes.data) for one in arrays]
    pointers = [ctypes.cast(ctypes.byref(one), ctypes.c_void_p) for one in addresses]
    getattr(library, f"LAUNCH_use_{name}")(
        (ctypes.c_void_p * len(pointers))(*pointers), 1, 32
    )


def test_every_intrinsic_has_a_case() -> None:
    barriers = {"lxc_barrier", "lxc_warp_barrier", "lxc_grid_barrier"}
    waits = {"lxc_close_copies", "lxc_wait_copies"}
    covered = {case.name for case in CASES} | barriers | waits | {"lxc_store_16"}
    assert {one.name for one in INTRINSICS} <= covered


@pytest.mark.parametrize("architecture", [SM_80, SM_90], ids=lambda one: one.name)
def test_the_compiler_for_cards_takes_every_intrinsic(architecture: Architecture) -> None:
    image, _ = find_device_compiler().compile(sources().whole, architecture)
    assert image


APART = """
extern "C" __global__ void apart_{name}({type} *y, {type} b, {type} c, {type} d) {{
    y[0] = lxc_settled(b * c) + d;
}}
"""


def test_the_assembler_does_not_fuse_what_is_settled() -> None:
    """By PTX's manual it may contract `mul` and `add`, but nothing that ends in `.rn`."""
    kernels = [APART.format(name=one, type=one) for one in ("float", "double")]
    text = "\n".join([support.text("prelude.h"), definitions([SETTLED]), *kernels])
    ptx = find_device_compiler().compile(text, LATER)[0].decode("ascii", "ignore")
    assert "fma" not in ptx
    for size in ("f32", "f64"):
        product = re.search(rf"\bmul\.(?:rn\.)?{size}\s+(%\w+)", ptx)
        assert product is not None, ptx
        place = product[1]
        assert re.search(rf"add\.rn\.{size} {place}, {place}, 0[fd]80+;", ptx), ptx
