"""The code of products for cards: tiles that fit, in registers and banks that are there."""

import re
from collections import Counter
from itertools import product

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.types import DType
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.architectures import ALL, SM_80, SM_90
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.images import usages
from lxc.targets.cuda.kernel import DeviceKernel, make_device_kernel
from lxc.targets.cuda.templates.products import tilings
from lxc.targets.cuda.templates.products.contraction import Axis, Operand
from lxc.targets.cuda.templates.products.matrices import MatrixTiling
from lxc.targets.cuda.templates.products.sides import side_of
from lxc.targets.cuda.templates.products.tilings import FEW_ROWS_BY_TF32
from lxc.targets.cuda.toolchain import find_device_compiler
from lxc.targets.tvm_api import array
from lxc.targets.tvm_prover import Prover
from tests.cards.product_cases import conv, dot
from tests.ops.cases import Case, graph_of

SMALLEST_SHARED_BYTES = 99 << 10
"""What a block may have at least on the cards that code is made for."""


def kernel_of(name: str, case: Case) -> DeviceKernel:
    """Return the kernel of a graph with one op."""
    target = TARGETS["cuda"]
    _, program = target_program(graph_of(name, [case]), target)
    (node,) = program.run.nodes
    return make_device_kernel(name, node, (), target.machine, noalias=True)


@pytest.mark.parametrize(
    ("most", "rows", "columns"),
    [
        ((1, 4096, 4096), 128, 128),
        ((1, 65536, 24), 32, 32),
        ((1, 65536, 64), 64, 64),
        ((1, 1 << 20, 200), 128, 128),
        ((1, 256, 256), 32, 32),
        ((200, 100, 128), 128, 128),
    ],
)
def test_tiles_fit_what_is_computed(
    most: tuple[int, int, int], rows: int, columns: int
) -> None:
    for candidates in (tilings.UNITS, tilings.MATRICES):
        tiling = tilings.best(candidates, most)
        assert (tiling.rows, tiling.columns) == (rows, columns)


def one_by_one() -> dict[str, Case]:
    """Return products of bfloat16 whose elements lie too odd to be copied together."""
    x, weight = np.zeros((8, 64, 56, 56), "V2"), np.zeros((128, 64, 3, 3), "V2")
    left, right = np.zeros((4096, 1001), "V2"), np.zeros((2048, 1001), "V2")
    x, weight, left, right = (
        one.view(ml_dtypes.bfloat16) for one in (x, weight, left, right)
    )
    return {
        "convolution": conv(x, weight, padding=((1, 1), (1, 1))),
        "product": dot(left, right, (), (), (1,), (1,)),
    }


def test_products_copied_one_by_one_keep_their_addresses_in_registers() -> None:
    kernels = [kernel_of(name, case) for name, case in one_by_one().items()]
    source = device_source({one.name: one.function for one in kernels})
    _, said = find_device_compiler().compile(source.whole, SM_80)
    for one in kernels:
        assert "matrix units" in one.algorithm
        assert usages(said)[one.name].spilled_bytes == 0, one.name


def tile_kernels() -> dict[str, DeviceKernel]:
    """Return a kernel for large tiles and one for low ones, of every kind."""
    found = {}
    types = {"units": np.float32, "matrices": ml_dtypes.bfloat16, "tf32": np.float32}
    for (kind, dtype), rows in product(types.items(), (2048, 4)):
        left, right = np.zeros((rows, 1024), dtype), np.zeros((2048, 1024), dtype)
        name, more = f"{kind}_{rows}", {"factors": "tf32"} if kind == "tf32" else {}
        found[name] = kernel_of(name, dot(left, right, (), (), (1,), (1,), **more))
    turned = np.zeros((1024, 2048), np.float32)
    by_columns = dot(turned, turned, (), (), (0,), (0,), factors="tf32")
    return {**found, "turned": kernel_of("turned", by_columns)}


def test_what_a_block_takes_is_there() -> None:
    kernels = tile_kernels()
    source = device_source({name: one.function for name, one in kernels.items()})
    _, said = find_device_compiler().compile(source.whole, SM_90)
    used = usages(said)
    for name, one in kernels.items():
        assert used[name].spilled_bytes == 0, name
        assert used[name].registers * one.threads <= 1 << 16, name
        assert one.shared_bytes <= SMALLEST_SHARED_BYTES, name


def instructions(*kernels: DeviceKernel) -> Counter[str]:
    """Return how often each instruction stands in the code of kernels."""
    (text,) = (one for one in ALL if one.is_text)
    source = device_source({one.name: one.function for one in kernels})
    code, _ = find_device_compiler().compile(source.whole, text)
    return Counter(re.findall(r"^\s+([a-z]\S+)", code.decode("ascii"), re.MULTILINE))


def test_inner_loops_are_products_and_wide_loads() -> None:
    kernels = tile_kernels()
    found = instructions(kernels["units_2048"], kernels["matrices_2048"])
    # Large tiles, and those of 32 by 32 for operands that do not lie at 16 bytes: 8 by 8
    # and 4 by 4 results of a thread, of 16 terms, of which four are read at once.
    assert found["fma.rn.f32"] == (8 * 8 + 4 * 4) * 16
    assert found["ld.shared.v4.f32"] == (8 + 8 + 4 + 4) * (16 // 4)
    # 4 by 8 and 1 by 2 matrices of a warp, of 32 terms, which are read two and two.
    products = sum(count for name, count in found.items() if name.startswith("mma.sync"))
    loads = sum(count for name, count in found.items() if name.startswith("ldmatrix"))
    assert products == (4 * 8 + 1 * 2) * (32 // 16)
    assert loads == (4 + 8 // 2 + 1 + 2 // 2) * (32 // 16)


@pytest.mark.parametrize(
    ("name", "loads"), [("tf32_2048", 4 + 8 // 2 + 1 + 1), ("turned", 0)]
)
def test_inner_loops_round_what_they_read_once(name: str, loads: int) -> None:
    found = instructions(tile_kernels()[name])
    products = sum(count for name, count in found.items() if name.startswith("mma.sync"))
    assert products == (4 * 8 + 1 * 2) * (16 // 8)
    assert found["cvt.rna.tf32.f32"] == 4 * (4 + 8 // 2 + 1 + 2 // 2) * (16 // 8)
    wide = sum(count for name, count in found.items() if name.startswith("ldmatrix"))
    assert wide == loads * (16 // 8)


@pytest.mark.parametrize("along_depth", [False, True])
@pytest.mark.parametrize("tiling", [*tilings.TF32_MATRICES, FEW_ROWS_BY_TF32])
def test_lanes_read_factors_of_matrices_from_banks_of_their_own(
    tiling: MatrixTiling, along_depth: bool
) -> None:
    """Eight lines of a chunk, or four terms of eight rows, in 32 banks of 4 bytes."""
    memory, axes = array("x", "float32", 1 << 20), (Axis(1024, 1), Axis(1024, 1024))
    free, depth = axes[::-1] if along_depth else axes
    operand = Operand(memory, DType.F32, 0, (), (free,), (depth,))
    for extent in (tiling.rows, tiling.columns):
        side = side_of(operand, extent, tiling.depth, Prover(), by_matrices=True)
        assert side.along_depth == along_depth
        places = [side.place(row, term) for row in range(8) for term in range(4)]
        banks = {int(str(place)) % 32 for place in places}
        assert len(banks) == 32
