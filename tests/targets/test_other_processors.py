"""Code for Arm and RISC-V, in an emulator, agrees with float64 and repeats its bits.

`python -m pytest tests/ops tests/targets tests/conformance --target aarch64-linux` runs the
other tests of compiled code there.
"""

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.compilation import tensor_level
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.targets import TARGETS
from lxc.targets.compile import emit
from lxc.tree import flatten
from tests.ops.paired_cases import BF16
from tests.targets.backends import Compiled, back_end

KINDS = pytest.mark.parametrize(
    "target", [back_end(TARGETS[name]) for name in ("aarch64-linux", "riscv64-linux")]
)
SCALAR, VECTOR = r"fn?m(?:add|sub)\.s", r"vfn?m(?:acc|add|sac|sub)\.v[vf]"
IMAGES = nn.Chain(
    nn.Conv((3, 3), 3, 24, nn.relu, pad=1, stride=2),
    nn.SkipConnection(nn.Conv((3, 3), 24, 24, nn.swish, pad=1), np.add),
    nn.Conv((3, 3), 24, 24, pad=1, groups=24),
    nn.BatchNorm(24, nn.relu),
    nn.MaxPool((2, 2)),
    nn.FlattenLayer(),
    nn.Dense(24 * 5 * 5, 13, nn.gelu),
    nn.WrappedFunction(lxc.ops.softmax),
)
CONVOLUTION = nn.Conv((3, 3), 8, 6, pad=1)
SEQUENCES = nn.Recurrence(nn.LSTMCell(10, 18), return_sequence=True)


def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).standard_normal((count, 3, 20, 20), np.float32)


def steps(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(2).standard_normal((3, count, 10), np.float32)


def exact(graph: Any, x: Any, ps: Any, st: Any) -> Any:
    leaves = (flatten(tree)[0] for tree in (x, ps, st))
    return evaluate(graph, *leaves, wide=True)[0][0]


@cache
def image_graph() -> Graph:
    ps, st = lxc.setup(0, IMAGES)
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 4), 3, 20, 20), "f32")
    graph: Graph = lxc.trace(IMAGES, spec, ps, st, mode="test")
    return graph


def sequence_graph() -> Graph:
    spec = lxc.TensorSpec((3, lxc.Dim("T", 1, 9), 10), "f32")
    graph: Graph = lxc.trace(SEQUENCES, spec, *lxc.setup(0, SEQUENCES))
    return graph


@KINDS
def test_images_in_any_number_agree_with_float64_on_any_number_of_threads(
    target: Compiled,
) -> None:
    ps, st = lxc.setup(0, IMAGES)
    graph = image_graph()
    model = lxc.compile(graph, target=target.name)
    x, still = images(3), lxc.testmode(st)
    together, _ = model(x, ps, still)
    wanted = exact(graph, x, ps, st)
    assert np.abs(together - wanted).max() <= 2e-5 * np.abs(wanted).max()
    threaded, _ = model(x, ps, still, threads=3)
    np.testing.assert_array_equal(threaded, together)
    alone = [model(x[i : i + 1], ps, still)[0] for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(alone), together)


@KINDS
def test_sequences_of_any_length_agree_with_float64_and_begin_alike(
    target: Compiled,
) -> None:
    ps, st = lxc.setup(0, SEQUENCES)
    graph = sequence_graph()
    model = lxc.compile(graph, target=target.name)
    x = steps(7)
    whole = np.asarray(model(x, ps, st)[0])
    wanted = exact(graph, x, ps, st)
    assert np.abs(np.swapaxes(whole, 0, 1) - wanted).max() <= 1e-5
    np.testing.assert_array_equal(np.asarray(model(x[:, :4], ps, st)[0]), whole[:4])


@pytest.mark.parametrize("target", [back_end(TARGETS["riscv64-linux"])])
def test_float16_is_converted_where_no_instruction_does_it(target: Compiled) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    graph = lxc.trace(
        nn.WrappedFunction(lambda x: (x.astype("f32"), (x + x).astype("f32"))),
        lxc.TensorSpec(bits.shape, "f16"),
        *({}, {}),
    )
    (wide, twice), _ = lxc.compile(graph, target=target.name)(bits, {}, {})
    with np.errstate(over="ignore", invalid="ignore"):
        sums = bits + bits
    np.testing.assert_array_equal(wide, bits.astype(np.float32))
    np.testing.assert_array_equal(twice, sums.astype(np.float32))


@pytest.mark.parametrize("name", ["riscv64-linux", "riscv64-linux-v"])
def test_float16_is_converted_on_risc_v_without_calls(name: str) -> None:
    model, spec = nn.WrappedFunction(lxc.ops.softmax), lxc.TensorSpec((4, 40), "f16")
    graph = lxc.trace(model, spec, {}, {}, mode="test")
    text = emit(tensor_level(graph), TARGETS[name], "asm").decode()
    assert not re.findall(r"call\s+__\w+", text)


@pytest.mark.parametrize("target", [back_end(TARGETS["riscv64-linux"])])
def test_convolutions_of_bfloat16_need_no_vectors(target: Compiled) -> None:
    ps, st = lxc.setup(0, CONVOLUTION)
    x = np.random.default_rng(3).standard_normal((2, 8, 7, 6), np.float32)
    compiled = lxc.compile(CONVOLUTION, x, ps, st, target=target.name, precision="bf16")
    made = compiled(x, ps, st)[0]
    x, ps["weight"] = (one.astype(BF16).astype("f4") for one in (x, ps["weight"]))
    wanted = exact(lxc.trace(CONVOLUTION, x, ps, st), x, ps, st)
    assert np.abs(made - wanted).max() <= 1e-6 * np.abs(wanted).max()


def test_vectors_of_risc_v_are_used_where_a_target_has_them() -> None:
    graph = tensor_level(sequence_graph())
    count = {}
    for name in ("riscv64-linux", "riscv64-linux-v"):
        text = emit(graph, TARGETS[name], "asm").decode()
        count[name] = [len(re.findall(rf"\t{word}", text)) for word in (SCALAR, VECTOR)]
    alone, together = count.values()
    assert alone[0] > 100
    assert alone[1] == 0
    assert together[1] > 20
    assert together[0] < together[1]
