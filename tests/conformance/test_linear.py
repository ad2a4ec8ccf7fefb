"""Dense and Bilinear."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import nn
from lxc.errors import LxcError
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row

BATCH = lxc.Dim("N", 1, 8)
INITIAL = "initial values are drawn in Python"
KEYS = "the keys are decided before anything is computed"


def size(ps: Any) -> int:
    return sum(leaf.size for leaf in ps.values())


def counting(rng: Any, *shape: int) -> np.ndarray[Any, Any]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@row("DNS-01")
def test_dense_is_an_affine_map(column: Column) -> None:
    model = nn.Dense(10, 3, nn.relu)
    ps = {"weight": np.ones((3, 10), np.float32), "bias": f32([0, -20, 1])}
    y, st = column(model, np.ones((2, 10), np.float32), ps, {})
    close_sums(y, f32([[10, 0, 11], [10, 0, 11]]))
    assert st == {}


@row("DNS-02")
@pytest.mark.parametrize("leading", [(), (3,), (2, 5, 7)])
def test_dense_keeps_leading_axes(column: Column, leading: tuple[int, ...]) -> None:
    model, x = nn.Dense(4, 3, init_bias=nn.randn32), draw(*leading, 4)
    ps, st = lxc.setup(0, model)
    expected = torch.nn.functional.linear(
        torch.from_numpy(x), torch.tensor(ps["weight"]), torch.tensor(ps["bias"])
    )
    close_sums(column(model, x, ps, st)[0], expected.numpy())


@row("DNS-02")
@pytest.mark.parametrize("shape", [(2, 3), (4, 1), ()])
def test_dense_refuses_another_last_axis(column: Column, shape: tuple[int, ...]) -> None:
    with pytest.raises(LxcError, match="takes 4 features") as caught:
        column.fresh(nn.Dense(4, 3), draw(*shape))
    assert caught.value.code == "LXC-E0103"


@row("DNS-02")
def test_dense_takes_any_batch(column: Column) -> None:
    model = nn.Dense(4, 3)
    ps, st = lxc.setup(0, model)
    call = column.built(model, lxc.TensorSpec((BATCH, 2, 4), "float32"), ps, st)
    for count in (1, 3, 8):
        x = draw(count, 2, 4)
        expected = torch.nn.functional.linear(
            torch.from_numpy(x), torch.tensor(ps["weight"])
        )
        close_sums(call(x, ps, st)[0], expected.numpy())


@row("DNS-03", eager_because=KEYS)
def test_dense_without_bias() -> None:
    for model in (nn.Dense(2, 3, use_bias=False), nn.Dense(2, 3, bias=False)):
        ps, _ = lxc.setup(0, model)
        assert list(ps) == ["weight"]
        assert size(ps) == 6
    assert size(lxc.setup(0, nn.Dense(2, 3))[0]) == 3 * (2 + 1)
    assert list(lxc.setup(0, nn.Dense(2, 3, use_bias=True, bias=True))[0]) == [
        "weight",
        "bias",
    ]
    with pytest.raises(LxcError, match="contradict") as caught:
        nn.Dense(2, 3, use_bias=True, bias=False)
    assert caught.value.code == "LXC-E0101"


@row("DNS-03")
def test_dense_without_bias_is_a_product(column: Column) -> None:
    model, x = nn.Dense(2, 3, use_bias=False), draw(5, 2)
    ps, st = lxc.setup(0, model)
    expected = torch.from_numpy(x) @ torch.tensor(ps["weight"]).T
    close_sums(column(model, x, ps, st)[0], expected.numpy())


@row("DNS-04a", eager_because=INITIAL)
def test_the_weight_of_dense_is_glorot_uniform_and_stored_as_out_in() -> None:
    weight = lxc.setup(0, nn.Dense(300, 200))[0]["weight"]
    assert weight.shape == (200, 300)
    bound = np.sqrt(6 / 500)
    assert 0.99 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / 3**0.5) < 0.01 * bound
    same(lxc.setup(0, nn.Dense(2, 3, init_weight=counting))[0]["weight"][1], f32([2, 3]))


@row("DNS-04b", eager_because=INITIAL)
def test_the_bias_of_dense_is_asked_for_as_a_column_and_stored_as_a_vector() -> None:
    asked = []

    def init(rng: Any, *shape: int) -> Any:
        asked.append(shape)
        return counting(rng, *shape)

    same(lxc.setup(0, nn.Dense(2, 3, init_bias=init))[0]["bias"], f32([0, 1, 2]))
    lxc.setup(0, nn.Dense(2, 3, use_bias=False, init_bias=init))
    assert asked == [(3, 1)]
    same(lxc.setup(0, nn.Dense(2, 3))[0]["bias"], f32([0, 0, 0]))


@row("DNS-04c")
@pytest.mark.parametrize("allowed", [True, False])
def test_dense_applies_its_activation_last(column: Column, allowed: bool) -> None:
    model = nn.Dense(1, 2, nn.tanh, allow_fast_activation=allowed)
    assert model.activation is (nn.tanh_fast if allowed else nn.tanh)
    ps = {"weight": f32([[1], [2]]), "bias": f32([-2, 1])}
    y = column(model, f32([[1], [3]]), ps, {})[0]
    close(y, np.tanh(f32([[-1, 3], [1, 7]])))


@row("BIL-01")
@row("BIL-05a")
def test_bilinear_is_a_form_of_two_vectors(column: Column) -> None:
    weight = f32([[[1, 2], [3, 4]]])
    x = (f32([1, 2]), f32([5, 6]))
    ps = {"weight": weight, "bias": f32([-100])}
    close_sums(column(nn.Bilinear((2, 2), 1), x, ps, {})[0], f32([-5]))
    model = nn.Bilinear((2, 2), 1, use_bias=False)
    close_sums(column(model, x, {"weight": weight}, {})[0], f32([95]))


@row("BIL-01")
@row("BIL-03")
@row("T47")
def test_bilinear_is_that_of_torch_for_any_leading_axes(column: Column) -> None:
    model = nn.Bilinear((4, 5), 3, init_bias=nn.randn32)
    ps, st = lxc.setup(0, model)
    assert {name: leaf.shape for name, leaf in ps.items()} == {
        "weight": (3, 4, 5),
        "bias": (3,),
    }
    specs = [lxc.TensorSpec((BATCH, 2, count), "float32") for count in (4, 5)]
    call = column.built(model, tuple(specs), ps, st)
    for count in (1, 3, 8):
        x, y = draw(count, 2, 4), draw(count, 2, 5, seed=1)
        expected = torch.nn.functional.bilinear(
            *map(torch.tensor, (x, y, ps["weight"], ps["bias"]))
        )
        close_sums(call((x, y), ps, st)[0], expected.numpy())


@row("BIL-03")
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ((2, 4), (3, 5), r"\[2, 5\]"),
        ((2, 4), (5,), r"\[2, 5\]"),
        ((2, 5), (2, 4), r"takes \(4, 5\) features"),
        ((), (2, 5), r"takes \(4, 5\) features"),
    ],
)
def test_bilinear_refuses_inputs_that_do_not_belong_together(
    column: Column, x: tuple[int, ...], y: tuple[int, ...], words: str
) -> None:
    with pytest.raises(LxcError, match=words) as caught:
        column.fresh(nn.Bilinear((4, 5), 3), (draw(*x), draw(*y)))
    assert caught.value.code == "LXC-E0103"


@row("BIL-03")
def test_bilinear_takes_two_arrays(column: Column) -> None:
    for x in ((draw(2),) * 3, [draw(2)] * 2):
        with pytest.raises(LxcError, match="a tuple of two"):
            column.fresh(nn.Bilinear(2, 3), x)


@row("BIL-02")
@row("BIL-04")
def test_bilinear_takes_one_array_for_both(column: Column) -> None:
    model, x = nn.Bilinear(4, 3, init_bias=nn.randn32), draw(6, 4)
    ps, st = lxc.setup(0, model)
    assert model == nn.Bilinear((4, 4), 3, init_bias=nn.randn32)
    expected = torch.nn.functional.bilinear(
        *map(torch.tensor, (x, x, ps["weight"], ps["bias"]))
    )
    close_sums(column(model, x, ps, st)[0], expected.numpy())
    with pytest.raises(LxcError) as caught:
        column.fresh(nn.Bilinear((4, 5), 3), x)
    assert caught.value.code == "LXC-E0103"


@row("BIL-02", eager_because=KEYS)
def test_bilinear_has_two_inputs() -> None:
    four: Any = np.int64(4)
    assert nn.Bilinear(four, 3) == nn.Bilinear((4, 4), 3)
    refused: tuple[Any, ...] = ((4,), (4, 4, 4), (4, 0), 4.0, (4.0, 4.0), "ab", None)
    for wrong in refused:
        with pytest.raises(LxcError) as caught:
            nn.Bilinear(wrong, 3)
        assert caught.value.code == "LXC-E0101"


@row("BIL-05a", eager_because=KEYS)
def test_bilinear_without_bias_has_no_key() -> None:
    assert size(lxc.setup(0, nn.Bilinear((4, 5), 3))[0]) == 3 * 4 * 5 + 3
    ps, _ = lxc.setup(0, nn.Bilinear((4, 5), 3, use_bias=False))
    assert list(ps) == ["weight"]
    assert size(ps) == 3 * 4 * 5


@row("BIL-05b", eager_because=INITIAL)
def test_the_fans_of_bilinear_count_the_outputs_as_taps() -> None:
    weight = lxc.setup(0, nn.Bilinear((2, 3), 4))[0]["weight"]
    assert np.abs(weight).max() <= 0.547723
    wide = lxc.setup(0, nn.Bilinear((20, 30), 40))[0]["weight"]
    bound = np.sqrt(6 / (40 * 20 + 40 * 30))
    assert 0.99 * bound < np.abs(wide).max() <= bound
    asked = lxc.setup(0, nn.Bilinear((2, 3), 4, init_weight=counting))[0]["weight"]
    same(asked, np.arange(24, dtype=np.float32).reshape(4, 2, 3))


@row("BIL-05c", eager_because=INITIAL)
def test_the_bias_of_bilinear() -> None:
    same(lxc.setup(0, nn.Bilinear(2, 3))[0]["bias"], f32([0, 0, 0]))
    asked = []

    def init(rng: Any, *shape: int) -> Any:
        asked.append(shape)
        return counting(rng, *shape)

    same(lxc.setup(0, nn.Bilinear(2, 3, init_bias=init))[0]["bias"], f32([0, 1, 2]))
    assert asked == [(3, 1)]


@row("BIL-05d")
@pytest.mark.parametrize("allowed", [True, False])
def test_bilinear_applies_its_activation_last(column: Column, allowed: bool) -> None:
    model = nn.Bilinear((1, 1), 2, nn.sigmoid, allow_fast_activation=allowed)
    assert model.activation is (nn.sigmoid_fast if allowed else nn.sigmoid)
    ps = {"weight": f32([[[1]], [[2]]]), "bias": f32([-2, 1])}
    y = column(model, (f32([[1], [2]]), f32([[2], [3]])), ps, {})[0]
    close(y, torch.sigmoid(torch.tensor([[0.0, 5], [4, 13]])).numpy())
