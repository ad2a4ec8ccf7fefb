"""Traced tensors behave like arrays without contents."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir import functions as ops
from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph
from lxc.ir.node import Body, Location, Value
from lxc.ir.op import OPS
from lxc.ir.tensor import Tensor
from lxc.ir.types import TensorType
from tests.ir.traced import graph_of, placeholders, same, traced

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(5, 1)).astype(np.float32)
I = np.arange(-10, 10, dtype=np.int32).reshape(4, 5)  # noqa: E741 - the table stays short


def in_place(x: Any) -> Any:
    """Change a name step by step, as array code often does."""
    y = x * 1
    y += 2
    y -= x
    y *= 3
    y /= 2
    y **= 2
    return y


OPERATORS: list[Callable[[Any], Any]] = [
    in_place,
    lambda x: x + 1,
    lambda x: 1 - x,
    lambda x: x * Y,
    lambda x: Y / x,
    lambda x: x // 2,
    lambda x: x % 3,
    lambda x: -x,
    lambda x: +x,
    lambda x: abs(x),
    lambda x: x**2,
    lambda x: x**0,
    lambda x: x < 0,
    lambda x: x >= Y,
    lambda x: x == x,
    lambda x: x != 1.5,
    lambda x: (x > 0) & (x < 1),
    lambda x: (x > 0) | ~(x < 1),
    lambda x: (x > 0) ^ (x < 1),
    lambda x: x @ X[0].T,
    lambda x: X[:, :, :4] @ x[:, :4],
    lambda x: x.T,
    lambda x: x.reshape(20, 6),
    lambda x: x.reshape((-1, 3)),
    lambda x: x.transpose(1, 0, 2),
    lambda x: x.transpose(),
    lambda x: x.astype(np.int32),
    lambda x: x.sum(1),
    lambda x: x.mean(),
    lambda x: x.max((0, 2), keepdims=True),
    lambda x: x.min(-1),
    lambda x: np.float32(2) * x,
    lambda x: np.float64(2) * x,
    lambda x: np.array(3, np.int32) + x,
]
INDICES: list[Any] = [
    0,
    -1,
    np.int64(2),
    (1, 2, 3),
    np.s_[1:3],
    np.s_[:, 1:],
    np.s_[..., -2:],
    np.s_[1:-1, ..., 2],
    np.s_[::2, ::-1],
    np.s_[3:0:-2],
    np.s_[::-1, ::-1, ::-3],
    np.s_[None, :, 0],
    np.s_[..., None],
    np.s_[2:2],
    np.s_[10:20],
    np.s_[:],
    ...,
    (),
]


@pytest.mark.parametrize("call", OPERATORS, ids=map(str, range(len(OPERATORS))))
def test_operators_and_methods_are_those_of_arrays(call: Callable[[Any], Any]) -> None:
    (result,) = traced(call, X)
    expected = call(X)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "call",
    [lambda x: x << 2, lambda x: x >> 1, lambda x: x & 6, lambda x: x**3, lambda x: 7 - x],
)
def test_integer_operators_are_those_of_arrays(call: Callable[[Any], Any]) -> None:
    same(traced(call, I), call(I))


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indices_are_those_of_arrays(index: Any) -> None:
    same(traced(lambda x: x[index], X), X[index])


@pytest.mark.parametrize(
    "index", [np.s_[:, 1:], np.s_[:-1], np.s_[1:], np.s_[::2], -1, 0, np.s_[..., 0], None]
)
def test_an_axis_of_unknown_size_can_be_sliced(index: Any) -> None:
    tensors = placeholders([X])
    rows = Dim("N", 2, 10)
    build = Builder()
    value = Value(TensorType(tensors[0].type.dtype, (expression(rows), 5, 6)), "%x_0")
    x = Tensor(value, build)
    result = x[index]
    graph = Graph(
        "m",
        dims=(rows,),
        inputs=(value,),
        nodes=tuple(build.nodes),
        outputs=(result.value,),
    )
    for count in (2, 4):
        same(evaluate(graph, (X[:count],))[0], X[:count][index])


@pytest.mark.parametrize("tail", [False, True])
def test_an_axis_of_known_size_can_be_sliced_at_an_unknown_place(tail: bool) -> None:
    tensors = placeholders([X[:, 0, 0], X[0]])
    rows = Dim("N", 1, 4)
    build = Builder()
    counted = Value(TensorType(tensors[0].type.dtype, (expression(rows),)), "%x_0")
    table = Value(tensors[1].type, "%x_1")
    size = Tensor(counted, build).shape[0]
    result = Tensor(table, build)[-size:] if tail else Tensor(table, build)[:, 1 : size + 1]
    graph = Graph(
        "m",
        dims=(rows,),
        inputs=(counted, table),
        nodes=tuple(build.nodes),
        outputs=(result.value,),
    )
    for count in (1, 4):
        wanted = X[0][-count:] if tail else X[0][:, 1 : count + 1]
        same(evaluate(graph, (X[:count, 0, 0], X[0]))[0], wanted)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + Y,
        lambda x: ops.softmax(x, 0),
        lambda x: ops.mean(x, 0),
        lambda x: ops.mean(x),
        lambda x: ops.reshape(x, (-1, 30)),
        lambda x: ops.reshape(x, (x.shape[0] * 5, 6)),
        lambda x: ops.reshape(x, (x.shape[0] * 5, -1)),
        lambda x: ops.concatenate([x, x]),
        lambda x: ops.pad(x, 1),
        lambda x: ops.stack([x, x], 1),
        lambda x: x @ X[0].T,
        lambda x: ops.zeros_like(x) + x,
        lambda x: ops.where(x > 0, x, 0.0),
        lambda x: ops.broadcast_to(ops.sum(x, 0), x.shape),
    ],
)
def test_functions_take_axes_of_unknown_size(call: Callable[[Any], Any]) -> None:
    (result,) = traced(call, X, symbolic=True)
    np.testing.assert_allclose(result, np.asarray(call(X)), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (bool, "LXC-E0104"),
        (float, "LXC-E0104"),
        (int, "LXC-E0104"),
        (np.asarray, "LXC-E0104"),
        (lambda x: [1, 2][x], "LXC-E0104"),
        (lambda x: x if x > 0 else -x, "LXC-E0104"),
        (lambda x: np.linalg.inv(x), "LXC-E0110"),
        (lambda x: np.nextafter(x, x), "LXC-E0110"),
        (lambda x: np.add.reduce(x), "LXC-E0110"),
        (lambda x: np.add(x, 1, out=np.zeros(3)), "LXC-E0110"),
        (lambda x: x[x > 0], "LXC-E0110"),
        (lambda x: x[0, 0, 0, 0], "LXC-E0103"),
        (lambda x: x[4], "LXC-E0103"),
        (lambda x: x[-5], "LXC-E0103"),
        (lambda x: x + np.zeros(7), "LXC-E0103"),
        (lambda x: x.reshape(7, -1), "LXC-E0103"),
        (lambda x: x.sum(3), "LXC-E0103"),
        (lambda x: ops.squeeze(x, 0), "LXC-E0103"),
        (lambda x: x.astype(np.int32) ** x.astype(np.int32), "LXC-E0103"),
        (lambda x: x.astype(np.complex64), "LXC-E0103"),
        (lambda x: ops.broadcast_to(Y, (expression(Dim("N", 1, 2)), 5, 1)), "LXC-E0104"),
    ],
)
def test_what_a_tensor_cannot_do_is_refused(call: Callable[[Any], Any], code: str) -> None:
    (x,) = placeholders([X])
    with pytest.raises(LxcError) as caught:
        call(x)
    assert caught.value.code == code


def test_the_refusal_of_a_branch_shows_the_way() -> None:
    (x,) = placeholders([X])
    with pytest.raises(LxcError, match="the truth of a tensor") as caught:
        bool(x > 0)
    assert caught.value.hint == "choose with lxc.ops.where"


def test_a_tensor_shows_its_type_and_has_no_contents() -> None:
    (x,) = placeholders([X], symbolic=True)
    assert repr(x) == "Tensor(f32[N, 5, 6])"
    assert (x.ndim, str(x.dtype), str(x.shape[0])) == (3, "float32", "N")
    with pytest.raises(LxcError, match="the length of a tensor"):
        len(x)
    assert len(placeholders([X])[0]) == 4
    assert {x: 1}[x] == 1


def test_an_error_names_the_op_and_its_operands() -> None:
    (x,) = placeholders([X])
    with pytest.raises(LxcError) as caught:
        ops.concatenate([x, x[:, :2]])
    assert caught.value.op == "concat(f32[4, 5, 6], f32[4, 2, 6])"


def test_nodes_know_the_line_of_the_user() -> None:
    (x,) = placeholders([X])
    x.builder.location = Location(("dense",), "")
    ops.tanh(x)
    (node,) = x.builder.nodes
    assert node.location.layers == ("dense",)
    assert node.location.source.startswith("test_tensor.py:")


def test_an_array_becomes_a_constant_a_broadcast_or_data() -> None:
    (x,) = placeholders([X])
    build = x.builder
    small, same_everywhere, large = np.arange(3), np.full((9, 9), 2.5), np.arange(100.0)
    assert build.array(small) is build.nodes[-1].result
    assert [node.op.name for node in build.nodes] == ["constant"]
    build.array(same_everywhere)
    assert [node.op.name for node in build.nodes[1:]] == ["constant", "broadcast"]
    value = build.array(large)
    assert value.name.startswith("#")
    assert build.array(large.copy()) is value
    assert len(build.data) == 1
    assert not build.data[value.name][1].flags.writeable


def test_an_array_of_both_zeros_keeps_their_signs() -> None:
    zeros = np.array([0.0, -0.0])
    (result,) = traced(lambda x: x * zeros, np.ones(2))
    np.testing.assert_array_equal(np.signbit(result), [False, True])


def test_a_body_captures_what_it_reads_from_outside() -> None:
    outer = placeholders([X])[0]
    inner_value = Value(outer.type.with_shape((6,)))
    inside = Builder(outer.builder)
    result = Tensor(inner_value, inside) + outer + outer
    assert list(inside.captures) == [outer.value]
    (captured,) = inside.captures.values()
    body = Body((inner_value, captured), tuple(inside.nodes), (result.value,))
    row = outer[0, 0]
    outputs = outer.builder.add(OPS["fused"], row.value, outer.value, bodies=(body,))
    graph = graph_of([outer], Tensor(outputs[0], outer.builder))
    same(evaluate(graph, (X,))[0], X[0, 0] + X + X)


def test_a_tensor_that_left_its_call_is_refused() -> None:
    (outer,) = placeholders([X])
    inside = Builder(outer.builder)
    leaked = Tensor(Value(outer.type), inside)
    inside.closed = True
    with pytest.raises(LxcError) as caught:
        ops.add(Tensor(Value(outer.type), Builder(outer.builder)), leaked)
    assert caught.value.code == "LXC-E0107"
