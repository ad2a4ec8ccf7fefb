"""What views, sources, random bits and structure ops compute."""

from typing import Any

import numpy as np
import pytest
import torch

from lxc.errors import LxcError
from lxc.ir.builder import Builder, constant_attributes
from lxc.ir.node import Body, Value
from lxc.ir.op import OPS
from lxc.ir.ops.random import threefry
from lxc.ir.types import DType, TensorType
from tests.ir.one_op import run, run_one

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_views_are_numpys() -> None:
    np.testing.assert_array_equal(run_one("reshape", X, shape=(4, 6)), X.reshape(4, 6))
    permuted = run_one("transpose", X, permutation=(2, 0, 1))
    np.testing.assert_array_equal(permuted, X.transpose(2, 0, 1))
    np.testing.assert_array_equal(run_one("reverse", X, axes=(0, 2)), X[::-1, :, ::-1])
    cut = run_one("slice", X, start=(0, 1, 0), stop=(1, 3, 4), step=(1, 1, 3))
    np.testing.assert_array_equal(cut, X[0:1, 1:3, 0:4:3])
    joined = run_one("concat", X, X[:, :1], axis=1)
    np.testing.assert_array_equal(joined, np.concatenate([X, X[:, :1]], 1))


def test_broadcast_names_the_axes_it_keeps() -> None:
    row = np.array([1, 2, 3], np.float32)
    repeated = run_one("broadcast", row, shape=(2, 3, 4), axes=(1,))
    np.testing.assert_array_equal(repeated, np.broadcast_to(row[:, None], (2, 3, 4)))
    column = run_one("broadcast", row.reshape(1, 3), shape=(2, 3), axes=(0, 1))
    np.testing.assert_array_equal(column, [row, row])


def test_pad_fills_around_and_between() -> None:
    value = np.array(-1, np.float32)
    x = np.array([1, 2, 3], np.float32)
    padded = run_one("pad", x, value, low=(1,), high=(2,), interior=(1,))
    np.testing.assert_array_equal(padded, [-1, 1, -1, 2, -1, 3, -1, -1])
    expected = torch.nn.functional.pad(torch.from_numpy(X), (1, 2, 0, 1), value=-1)
    around = run_one("pad", X, value, low=(0, 0, 1), high=(0, 1, 2), interior=(0, 0, 0))
    np.testing.assert_array_equal(around, expected.numpy())


def test_sources_need_no_operands() -> None:
    np.testing.assert_array_equal(
        run_one("iota", dtype=DType.I8, shape=(2, 3), axis=1),
        np.array([[0, 1, 2]] * 2, np.int8),
    )
    array = np.array([[1.5, -np.inf]], np.float16)
    np.testing.assert_array_equal(
        run_one("constant", **constant_attributes(array)), array, strict=True
    )
    np.testing.assert_array_equal(run_one("dim", X, axis=1), np.int64(3), strict=True)


# Vectors published with Random123: counter and key as two words each, then the block.
THREEFRY = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("counter", "key", "block"), THREEFRY)
def test_threefry_has_its_published_vectors(counter: Any, key: Any, block: Any) -> None:
    words = [np.array([word], np.uint32) for word in counter]
    high, low = threefry(np.array(key, np.uint32), *words)
    assert (int(high[0]), int(low[0])) == block


def test_random_bits_follow_the_order_of_elements() -> None:
    key = np.array([0, 0], np.uint32)
    many = run_one("random_bits", key, shape=(7,))
    assert many.dtype == np.uint32
    assert [int(word) for word in many[:2]] == [0x6B200159, 0x99BA4EFE]
    np.testing.assert_array_equal(run_one("random_bits", key, shape=(3,)), many[:3])
    np.testing.assert_array_equal(
        run_one("random_bits", key, shape=(2, 3)), many[:6].reshape(2, 3)
    )


def test_split_keys_differ_from_each_other_and_from_draws() -> None:
    key = np.array([7, 9], np.uint32)
    keys = run_one("random_split", key, count=4)
    draws = run_one("random_bits", key, shape=(100,)).reshape(50, 2)
    assert len(np.unique(np.concatenate([keys, draws, [key]]), axis=0)) == 55
    np.testing.assert_array_equal(run_one("random_split", key, count=2), keys[:2])


def body_of(types: list[TensorType], make: Any) -> Body:
    parameters = tuple(map(Value, types))
    build = Builder()
    outputs = make(build, *parameters)
    return Body(parameters, tuple(build.nodes), outputs)


@pytest.mark.parametrize("name", ["fused", "layer", "chain"])
def test_a_body_runs_on_the_operands(name: str) -> None:
    f32 = TensorType(DType.F32, (3,))
    body = body_of([f32, f32], lambda b, x, y: (*b.add(OPS["add"], x, y), x))
    x, y = np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32)
    attributes: dict[str, Any] = {} if name == "fused" else {"kind": "Dense"}
    total, first = run(name, x, y, bodies=(body,), **attributes)
    np.testing.assert_array_equal(total, x + y)
    np.testing.assert_array_equal(first, x)


def test_a_noop_hands_on_its_operands() -> None:
    first, second = run("noop", X, X[0])
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, X[0])


def scan_step(build: Builder, total: Value, factor: Value, x: Value) -> tuple[Value, ...]:
    (scaled,) = build.add(OPS["multiply"], x, factor)
    (new,) = build.add(OPS["add"], total, scaled)
    return new, new, scaled


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_carries_a_value_and_stacks_the_steps(axis: int, reverse: bool) -> None:
    row = TensorType(DType.F32, (3,))
    body = body_of([row] * 3, scan_step)
    xs = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    operand = xs if axis == 0 else np.ascontiguousarray(xs.T)
    start, factor = np.ones(3, np.float32), np.full(3, 2, np.float32)
    last, totals, scaled = run(
        "scan",
        start,
        factor,
        operand,
        bodies=(body,),
        carries=1,
        consts=1,
        length=5,
        axis=axis,
        reverse=reverse,
    )
    order = xs[::-1] if reverse else xs
    expected = 1 + np.cumsum(2 * order, 0, dtype=np.float64)
    expected = expected[::-1] if reverse else expected
    np.testing.assert_allclose(last, expected[0 if reverse else -1], rtol=1e-5)
    np.testing.assert_allclose(totals if axis == 0 else totals.T, expected, rtol=1e-5)
    np.testing.assert_array_equal(scaled if axis == 0 else scaled.T, 2 * xs)


@pytest.mark.parametrize(
    ("name", "operands", "attributes", "words"),
    [
        ("reshape", 1, {"shape": (5,)}, "this x does not fit"),
        ("transpose", 1, {"permutation": (0, 0, 1)}, "these permutation do not fit"),
        ("transpose", 1, {"permutation": (0, 1)}, "needs one entry per axis"),
        ("broadcast", 1, {"shape": (2, 3, 5), "axes": (0, 1, 2)}, "this x does not fit"),
        ("reverse", 1, {"axes": (3,)}, "these axes do not fit"),
        ("concat", 2, {"axis": 3}, "these axis do not fit"),
        ("iota", 0, {"dtype": DType.I32, "shape": (2,), "axis": 1}, "do not fit"),
        (
            "slice",
            1,
            {"start": (0,) * 3, "stop": (2, 4, 4), "step": (1,) * 3},
            "does not fit",
        ),
        ("slice", 1, {"start": (0,) * 3, "stop": (2, 3, 4), "step": (0, 1, 1)}, "forward"),
        (
            "constant",
            0,
            {"dtype": DType.F32, "shape": (2,), "value": (1.0,)},
            "do not fill",
        ),
        ("random_bits", 1, {"shape": (3,)}, "this key does not fit"),
        ("reduce", 1, {"kind": "mean", "axes": (0,)}, "no reduction 'mean'"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(
    name: str, operands: int, attributes: dict[str, Any], words: str
) -> None:
    with pytest.raises(LxcError, match=words) as caught:
        run_one(name, *[X] * operands, **attributes)
    assert caught.value.code == "LXC-E0103"
