"""Products and convolutions of cards: right in any tiles, without a race or a spill."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.ir.agreement import agreement
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array, DType
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.architectures import ALL, SM_90
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.images import usages
from lxc.targets.cuda.kernel import DeviceKernel, make_device_kernel
from lxc.targets.cuda.templates import product_tilings
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.single_kernels import SingleKernel
from tests.ops.cases import Case, graph_of
from tests.targets.backends import Card

MANY = 1 << 40
"""No product has so many blocks: its tiles are the smallest ones, with 1 the largest."""
SMALLEST_SHARED_BYTES = 99 << 10
"""What a block may have at least on the cards that code is made for."""

LINEAR = """
graph @linear lux {{
  dim N: 1..300
  input %x.0: {dtype}[N, {terms}]
  input %x.1: {dtype}[N, 24]
  param @0: {dtype}[{terms}, 24]
  tree inputs = [*, *]
  tree params = [*]
  tree state = []
  tree outputs = [*]

  %0: {dtype}[N, 24] = dot_general(%x.0, @0) {{lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}}
  %1: {dtype}[N, 24] = add(%0, %x.1)
  %2: {dtype}[N, 24] = maximum(%1, %x.1)
  return %2
}}
"""


def drawn(seed: int, *shape: int, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def dot(left: Array, right: Array, *axes: tuple[int, ...], **more: Any) -> Case:
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    facts = {**dict(zip(names, axes, strict=True)), **more}
    return Case("dot", "dot_general", (left, right), facts)


def conv(x: Array, weight: Array, **facts: Any) -> Case:
    plain: Mapping[str, Any] = {
        "strides": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "lhs_dilation": (1, 1),
        "rhs_dilation": (1, 1),
        "groups": 1,
    }
    return Case("conv", "conv", (x, weight), {**plain, **facts})


def cases(dtype: Any, **more: Any) -> list[Case]:
    """Return products of odd and even sizes, with operands in all orders, and others."""

    def one(seed: int, *shape: int) -> Array:
        return drawn(seed, *shape, dtype=dtype)

    padded, below = {"padding": ((1, 1), (2, 0))}, {"padding": ((0, 3), (0, 0))}
    return [
        dot(one(0, 131, 300), one(1, 300, 136), (), (), (1,), (0,), **more),
        dot(one(2, 304, 132), one(3, 137, 304), (), (), (0,), (1,), **more),
        dot(one(4, 19, 37), one(5, 37, 23), (), (), (1,), (0,), **more),
        dot(one(6, 2, 20, 3, 16), one(7, 2, 24, 3, 16), (0, 2), (0, 2), (3,), (3,), **more),
        dot(one(8, 300), one(9, 300, 40), (), (), (0,), (0,), **more),
        dot(one(10, 24, 4, 10), one(11, 10, 4), (), (), (1, 2), (1, 0), **more),
        conv(one(12, 2, 5, 9, 8), one(13, 12, 5, 3, 3), strides=(2, 1), **padded, **more),
        conv(one(14, 1, 16, 6, 7), one(15, 24, 8, 2, 2), groups=2, **more),
        conv(one(16, 3, 16, 4, 4), one(17, 1, 1, 16, 24), weight_order="io", **more),
        conv(
            one(18, 1, 4, 9, 9), one(19, 8, 4, 3, 3), rhs_dilation=(2, 1), **below, **more
        ),
    ]


ALL_CASES = {
    "float32": cases(np.float32),
    "bfloat16": cases(ml_dtypes.bfloat16, result=DType.F32)[:7],
    "float16": cases(np.float16)[1:3],
}


def results(graph: Graph, inputs: list[Array], folder: Path) -> tuple[Array, ...]:
    return Card("cuda").load(graph, folder).run(inputs)[0]


@pytest.mark.parametrize("kind", ALL_CASES)
def test_tiles_decide_no_bit(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for blocks, count in ((1, None), (MANY, 2)):
        monkeypatch.setattr(product_tilings, "BLOCKS", blocks)
        chosen = ALL_CASES[kind][:count]
        inputs = [array for case in chosen for array in case.operands]
        graph = graph_of("products", chosen)
        found.append(results(graph, inputs, tmp_path))
        narrow, exact = (evaluate(graph, inputs, wide=wide)[0] for wide in (False, True))
        for actual, near, true in zip(found[-1], narrow, exact, strict=True):
            close = agreement(actual, near, true, 304)
            assert close.error <= close.bound if kind == "float16" else close.holds, close
    for one, other in zip(*found, strict=False):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_a_row_has_the_same_bits_among_any_number_of_rows(
    dtype: str, tmp_path: Path
) -> None:
    graph = parse_graph(LINEAR.format(dtype=dtype, terms=552))
    kind = graph.params[0].type.dtype.numpy
    x, y, weight = (
        drawn(seed, *shape, dtype=kind)
        for seed, shape in enumerate([(70, 552), (70, 24), (552, 24)])
    )
    model = Card("cuda").load(graph, tmp_path)
    whole = model.run([x, y], [weight])[0][0]
    for count in (1, 8, 9, 16, 17, 33):
        part = model.run([x[:count], y[:count]], [weight])[0][0]
        np.testing.assert_array_equal(part, whole[:count])


@pytest.mark.parametrize(
    ("dtype", "rows", "terms"), [("f32", 33, 20), ("f32", 2, 264), ("bf16", 17, 24)]
)
def test_threads_wait_for_each_other(dtype: str, rows: int, terms: int) -> None:
    text = LINEAR.format(dtype=dtype, terms=terms).replace("param @0", "input %x.2")
    text = text.replace("params = [*]", "params = []").replace("@0", "%x.2")
    graph = parse_graph(text.replace("inputs = [*, *]", "inputs = [*, *, *]"))
    kind = graph.inputs[0].type.dtype.numpy
    shapes = [(rows, terms), (rows, 24), (terms, 24)]
    inputs = [drawn(seed, *shape, dtype=kind) for seed, shape in enumerate(shapes)]
    made = SingleKernel(graph)
    aligned = made.check(inputs, N=rows)
    moved = made.run(inputs, {"N": rows}, shift=1)
    np.testing.assert_array_equal(moved, aligned)


def test_what_is_not_finite_stays_in_its_row_and_column(tmp_path: Path) -> None:
    x, weight = drawn(0, 12, 37), drawn(1, 37, 21)
    x[3, 5], x[4, 0], weight[2, 7] = np.nan, np.inf, -np.inf
    graph = graph_of("special", [dot(x, weight, (), (), (1,), (0,))])
    (actual,) = results(graph, [x, weight], tmp_path)
    (expected,), _ = evaluate(graph, [x, weight])
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_array_equal(np.isposinf(actual), np.isposinf(expected))
    assert np.isnan(actual[3]).all()
    assert np.isfinite(actual[:3, :7]).all()


def kernel_of(name: str, case: Case) -> DeviceKernel:
    """Return the kernel of a graph with one op."""
    target = TARGETS["cuda"]
    _, program = target_program(graph_of(name, [case]), target)
    (node,) = program.run.nodes
    return make_device_kernel(name, node, (), target.machine, noalias=True)


def tile_kernels() -> dict[str, DeviceKernel]:
    """Return a kernel for large tiles and one for low ones, of both kinds."""
    found = {}
    types = {"units": np.float32, "matrices": ml_dtypes.bfloat16}
    for (kind, dtype), rows in product(types.items(), (2048, 4)):
        left, right = np.zeros((rows, 1024), dtype), np.zeros((2048, 1024), dtype)
        name = f"{kind}_{rows}"
        found[name] = kernel_of(name, dot(left, right, (), (), (1,), (1,)))
    return found


def test_what_a_block_takes_is_there() -> None:
    kernels = tile_kernels()
    source = device_source({name: one.function for name, one in kernels.items()})
    _, said = find_device_compiler().compile(source.whole, SM_90)
    used = usages(said)
    for name, one in kernels.items():
        assert used[name].spilled_bytes == 0, name
        assert used[name].registers * one.threads <= 1 << 16, name
        assert one.shared_bytes <= SMALLEST_SHARED_BYTES, name


def test_inner_loops_are_products_and_wide_loads() -> None:
    (text,) = (one for one in ALL if one.is_text)
    kernels = tile_kernels()
    source = {name: kernels[name].function for name in ("units_2048", "matrices_2048")}
    code, _ = find_device_compiler().compile(device_source(source).whole, text)
    found = Counter(re.findall(r"^\s+([a-z]\S+)", code.decode("ascii"), re.MULTILINE))
    # Large tiles, and those of 32 by 32 for operands that do not lie at 16 bytes: 8 by 8
    # and 4 by 4 results of a thread, of 16 terms, of which four are read at once.
    assert found["fma.rn.f32"] == (8 * 8 + 4 * 4) * 16
    assert found["ld.shared.v4.f32"] == (8 + 8 + 4 + 4) * (16 // 4)
    # 4 by 8 and 1 by 2 matrices of a warp, of 32 terms, which are read two and two.
    products = sum(count for name, count in found.items() if name.startswith("mma.sync"))
    loads = sum(count for name, count in found.items() if name.startswith("ldmatrix"))
    assert products == (4 * 8 + 1 * 2) * (32 // 16)
    assert loads == (4 + 8 // 2 + 1 + 2 // 2) * (32 // 16)
