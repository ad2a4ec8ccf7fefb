"""The interpreter runs whole graphs, in the types of the graph or in float64."""

import ml_dtypes
import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.evaluate import evaluate
from lxc.ir.parser import parse, parse_graph

AFFINE = parse_graph(
    """graph @m lux {
  dim N: 1..4
  input %x: f32[N, 2]
  param @w: f32[2]
  state $calls: i32[]
  state $mean: f32[2]
  tree params = *
  tree state = {calls: *, mean: *}
  %0: f32[N, 2] = broadcast(@w) {shape = [N, 2], axes = [1]}
  %1: f32[N, 2] = multiply(%x, %0)
  %2: i32[] = constant() {dtype = i32, shape = [], value = [1]}
  %3: i32[] = add($calls, %2)
  update $calls = %3
  return %1, %x
}"""
)
X = np.array([[1, 2], [3, 4]], np.float32)
W = np.array([10, 0.1], np.float32)
STATE = (np.array(4, np.int32), np.zeros(2, np.float32))


def test_outputs_and_updates_come_in_header_order() -> None:
    outputs, updates = evaluate(AFFINE, (X,), (W,), STATE)
    np.testing.assert_array_equal(outputs[0], X * W, strict=True)
    np.testing.assert_array_equal(outputs[1], X)
    np.testing.assert_array_equal(updates[0], np.array(5, np.int32), strict=True)
    np.testing.assert_array_equal(updates[1], STATE[1])


def test_wide_results_are_float64_and_integers_stay() -> None:
    outputs, updates = evaluate(AFFINE, (X,), (W,), STATE, wide=True)
    expected = X.astype(np.float64) * W.astype(np.float64)
    np.testing.assert_array_equal(outputs[0], expected, strict=True)
    assert updates[0].dtype == np.int32
    assert updates[1].dtype == np.float64


def test_wide_results_can_be_fed_back() -> None:
    _, updates = evaluate(AFFINE, (X,), (W,), STATE, wide=True)
    _, again = evaluate(AFFINE, (X,), (W,), updates, wide=True)
    assert again[0] == 6


def test_wide_keeps_the_numbers_that_narrow_constants_hold() -> None:
    tenth = float(np.float32(0.1))
    graph = parse_graph(
        "graph @m lux { %0: f32[] = constant() "
        f"{{dtype = f32, shape = [], value = [{tenth.hex()}]}} return %0 }}"
    )
    (result,), _ = evaluate(graph, (), wide=True)
    assert result == tenth != 0.1


def test_a_program_prepares_first() -> None:
    program = parse(
        """graph @m lux {
  param @w: bf16[2]
  state $k: f32[2]
  tree inputs = {}
  tree params = *
  tree state = *
  %0: f32[2] = cast(@w) {dtype = f32}
  %1: f32[2] = add(%0, $k)
  return %1
}
graph @m lux {
  input %x: f32[2]
  param @w: bf16[2]
  state $k: f32[2]
  prepared ^p: f32[2]
  tree params = *
  tree state = *
  %0: f32[2] = multiply(%x, ^p)
  return %0
}"""
    )
    weight, k = np.array([2, 3], ml_dtypes.bfloat16), np.array([1, 1], np.float32)
    (result,), (kept,) = evaluate(program, (X[0],), (weight,), (k,))
    np.testing.assert_array_equal(result, [3, 8])
    np.testing.assert_array_equal(kept, k)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((), "1 arrays are needed and 0 are given"),
        ((X.astype(np.float64),), "%x has another type"),
        ((X[:, :1],), "%x has another type"),
        ((np.zeros((5, 2), np.float32),), "dimension N is out of range"),
        ((np.zeros((0, 2), np.float32),), "dimension N is out of range"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    inputs: tuple[np.ndarray, ...], words: str
) -> None:
    with pytest.raises(LxcError, match=words):
        evaluate(AFFINE, inputs, (W,), STATE)


def test_a_size_has_to_be_the_same_wherever_it_stands() -> None:
    graph = parse_graph(
        "graph @m lux { dim N: 1..9 input %x: f32[N] input %y: f32[N + 1] "
        "tree inputs = (*, *) return %y }"
    )
    evaluate(graph, (np.zeros(2, np.float32), np.zeros(3, np.float32)))
    with pytest.raises(LxcError, match="%y has another type"):
        evaluate(graph, (np.zeros(2, np.float32), np.zeros(2, np.float32)))


def test_a_size_that_no_array_tells_is_an_error() -> None:
    graph = parse_graph("graph @m lux { dim N: 1..9 input %x: f32[2*N] return %x }")
    with pytest.raises(LxcError, match="no input tells the size of dimension N"):
        evaluate(graph, (np.zeros(4, np.float32),))


def test_symbolic_attributes_become_numbers() -> None:
    graph = parse_graph(
        "graph @m lux { dim N: 1..9 input %x: f32[N] "
        "%0: i32[N + 1] = iota() {dtype = i32, shape = [N + 1], axis = 0} return %0 }"
    )
    (counts,), _ = evaluate(graph, (np.zeros(3, np.float32),))
    np.testing.assert_array_equal(counts, [0, 1, 2, 3])
