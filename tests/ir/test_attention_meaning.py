"""What attention means, and which operands it takes."""

from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError, Mismatch
from lxc.ir.builder import make_node
from lxc.ir.dim import Dim, expression
from lxc.ir.flops import flops_of
from lxc.ir.node import Node, Value
from lxc.ir.op import OPS
from lxc.ir.types import DType, TensorType

GIVEN: dict[str, Any] = {
    "scale": 0.5,
    "hidden": -np.inf,
    "causal": False,
    "offset": 0,
    "queries_first": False,
}
MEMORY = TensorType(DType.F32, (1, 1024))


def f32(*shape: Any) -> TensorType:
    return TensorType(DType.F32, shape)


def attention(*types: TensorType, **given: Any) -> Node:
    return make_node(OPS["attention"], tuple(map(Value, types)), {**GIVEN, **given})


def run(*arrays: Any, **given: Any) -> Any:
    query, key, value, *masks = (np.asarray(x) for x in arrays)
    memory = np.zeros((1, 1), np.float32)
    operands = (query, key, value, memory, *masks)
    with np.errstate(all="ignore"):
        return OPS["attention"].run(operands, {**GIVEN, **given})[0]


def test_the_result_has_the_width_of_values_in_the_order_that_is_asked_for() -> None:
    types = (f32(2, 6, 5, 8), f32(2, 3, 7, 8), f32(2, 3, 7, 4), MEMORY)
    assert attention(*types).result.type == f32(2, 6, 5, 4)
    assert attention(*types, queries_first=True).result.type == f32(2, 5, 6, 4)
    assert flops_of(attention(*types)) == 2 * 6 * 5 * 7 * (2 * 8 + 2 * 4 + 5)


@pytest.mark.parametrize(
    "types",
    [
        (f32(2, 6, 5, 8), f32(2, 4, 7, 8), f32(2, 4, 7, 4), MEMORY),
        (f32(2, 6, 5, 8), f32(2, 3, 7, 9), f32(2, 3, 7, 4), MEMORY),
        (f32(2, 6, 5, 8), f32(2, 3, 7, 8), f32(2, 3, 6, 4), MEMORY),
        (f32(2, 6, 5, 8), f32(1, 3, 7, 8), f32(1, 3, 7, 4), MEMORY),
        (f32(2, 6, 5, 8), f32(3, 7, 8), f32(3, 7, 4), MEMORY),
        (f32(5, 8), f32(7, 8), f32(7, 4), MEMORY),
        (*[TensorType(DType.F64, (1, 5, 8))] * 3, MEMORY),
        (*[f32(1, 5, 8)] * 3, TensorType(DType.I32, (8,))),
        (*[f32(1, 5, 8)] * 3, MEMORY, f32(5, 5)),
        (*[f32(1, 5, 8)] * 3, MEMORY, TensorType(DType.I32, (1, 5, 5))),
        (f32(expression(Dim("H", 1, 4)), 5, 8), *[f32(1, 5, 8)] * 2, MEMORY),
        (f32(1, 5, 8), f32(1, 0, 8), f32(1, 0, 8), MEMORY),
    ],
)
def test_operands_that_do_not_fit_are_refused(types: tuple[TensorType, ...]) -> None:
    with pytest.raises((Mismatch, LxcError)):
        attention(*types)


def test_equal_scores_give_the_mean_of_the_values_that_are_seen() -> None:
    query, key = np.zeros((1, 2, 3)), np.ones((1, 4, 3))
    value = np.arange(4.0).reshape(1, 4, 1)
    np.testing.assert_allclose(run(query, key, value)[0, :, 0], [1.5, 1.5])
    np.testing.assert_allclose(run(query, key, value, causal=True)[0, :, 0], [0, 0.5])
    later = run(query, key, value, causal=True, offset=2)
    np.testing.assert_allclose(later[0, :, 0], [1, 1.5])
    seen = np.array([[[True, False, False, True], [False] * 4]])
    hidden = run(query, key, value, seen)[0, :, 0]
    np.testing.assert_allclose(hidden, [1.5, np.nan])
    even = run(query, key, value, seen, hidden=-1e9)[0, :, 0]
    np.testing.assert_allclose(even, [1.5, 1.5])


def test_masks_have_their_turn_one_after_the_other() -> None:
    query, key = np.zeros((1, 1, 3)), np.ones((1, 2, 3))
    value = np.array([[[0.0], [1.0]]])
    seen, added = np.array([[[False, True]]]), np.array([[[9.0, 0.0]]])
    first = run(query, key, value, seen, added, hidden=-9.0)
    np.testing.assert_allclose(first, [[[0.5]]])
    last = run(query, key, value, added, seen, hidden=-9.0)
    np.testing.assert_allclose(last, [[[1 / (1 + np.exp(-9.0))]]])


def test_heads_in_a_row_share_keys() -> None:
    random = np.random.default_rng(0)
    query = random.standard_normal((1, 4, 5, 3))
    key, value = random.standard_normal((2, 1, 2, 6, 3))
    whole = run(query, key, value)
    for head in range(4):
        group = head // 2
        own = run(query[:, head], key[:, group], value[:, group])
        np.testing.assert_allclose(whole[:, head], own)
