"""Parameters of torch in layers of the Kaun family, and Kaun's in both families."""

from typing import Any

import numpy as np
import pytest
import torch

import lxc
from lxc import kaun, nn
from lxc.errors import LxcError
from tests.parameters.test_torch import arrays_of, drawn, torch_result

Array = np.ndarray[Any, Any]


def run(layer: Any, made: Any, x: Array) -> Array:
    variables = kaun.make_vars(made.params, made.state, "float32")
    return np.asarray(kaun.apply(layer, variables, x)[0])


PAIRS: dict[str, Any] = {
    "Linear": lambda: (torch.nn.Linear(4, 4), kaun.linear(4, 4), drawn(3, 4)),
    "Conv1d": lambda: (
        torch.nn.Conv1d(4, 6, 3, padding="same"),
        kaun.conv1d(4, 6),
        drawn(2, 4, 9),
    ),
    "Conv2d": lambda: (
        torch.nn.Conv2d(4, 6, 3, padding="same"),
        kaun.conv2d(4, 6),
        drawn(2, 4, 9, 8),
    ),
    "LayerNorm": lambda: (torch.nn.LayerNorm(4), kaun.layer_norm(4), drawn(3, 4)),
    "RMSNorm": lambda: (torch.nn.RMSNorm(4, eps=1e-6), kaun.rms_norm(4), drawn(3, 4)),
    "BatchNorm": lambda: (torch.nn.BatchNorm1d(4), kaun.batch_norm(4), drawn(3, 4)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_computes_what_torch_does(name: str) -> None:
    theirs, ours, x = PAIRS[name]()
    made = lxc.convert_params(arrays_of(theirs), ours)
    expected = torch_result(theirs, x)
    np.testing.assert_allclose(run(ours, made, x), expected, rtol=2e-5, atol=2e-6)


def test_an_embedding_has_the_rows_of_torch() -> None:
    theirs = torch.nn.Embedding(7, 4)
    arrays = arrays_of(theirs)
    ids = np.array([[0, 6], [3, 3]], np.int32)
    expected = arrays["weight"][ids]
    ours = kaun.embedding(7, 4, scale=False)
    np.testing.assert_array_equal(
        run(ours, lxc.convert_params(arrays, ours), ids), expected
    )
    layer = nn.Embedding(7, 4)
    made = lxc.convert_params(arrays, layer)
    np.testing.assert_array_equal(layer(ids, made.params, made.state)[0], expected)


class Attention(torch.nn.Module):
    """Attend to oneself."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(8, 2, batch_first=True, **options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(x, x, x, need_weights=False)[0]
        return result


@pytest.mark.parametrize("bias", [False, True])
def test_an_attention_computes_what_torch_does(bias: bool) -> None:
    theirs, x = Attention(bias=bias), drawn(2, 5, 8)
    ours = kaun.multi_head_attention(8, 2, bias=bias)
    arrays = arrays_of(theirs)
    assert len(arrays) == (4 if bias else 2)
    made = lxc.convert_params(arrays, ours)
    expected = torch_result(theirs, x)
    np.testing.assert_allclose(run(ours, made, x), expected, rtol=2e-5, atol=2e-6)


def test_biases_of_an_attention_are_dropped_only_if_they_are_zero() -> None:
    theirs = Attention()
    arrays = arrays_of(theirs)
    ours = kaun.sequential([kaun.multi_head_attention(8, 2)])
    with pytest.raises(LxcError, match="biases of q, k, v, out") as caught:
        lxc.convert_params(arrays, ours)
    assert caught.value.code == "LXC-E0409"
    assert caught.value.layer == "0"
    zeros = {n: np.zeros_like(a) if a.ndim == 1 else a for n, a in arrays.items()}
    made = lxc.convert_params(zeros, ours)
    assert made.report.complete


def test_an_attention_with_biases_comes_back_under_its_own_names() -> None:
    ours = kaun.multi_head_attention(8, 2, bias=True)
    params = lxc.flat_names(lxc.convert_params(arrays_of(Attention()), ours).params)
    assert all(params[f"{part}_bias"].any() for part in ("q", "k", "v", "out"))
    again = lxc.flat_names(lxc.convert_params(params, ours, style="kaun").params)
    for name, array in again.items():
        np.testing.assert_array_equal(array, params[name])
    del params["v_bias"]
    with pytest.raises(LxcError, match="v_bias"):
        lxc.convert_params(params, ours, style="kaun")


def test_a_whole_model_of_kaun_takes_a_sequential_of_torch() -> None:
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 8),
        torch.nn.ReLU(),
        torch.nn.BatchNorm1d(8),
        torch.nn.Dropout(),
        torch.nn.Linear(8, 4),
    )
    ours = kaun.sequential([kaun.linear(4, 8), kaun.relu(), kaun.batch_norm(8)])
    ours = kaun.compose(ours, kaun.linear(8, 4))
    x = drawn(3, 4)
    arrays = arrays_of(theirs)
    rename = {"left": "", "right": "4"}
    made = lxc.convert_params(arrays, ours, rename=rename)
    expected = torch_result(theirs, x)
    np.testing.assert_allclose(run(ours, made, x), expected, rtol=2e-5, atol=2e-6)


def test_kauns_own_parameters_fit_both_families() -> None:
    theirs = kaun.sequential([kaun.linear(5, 5), kaun.relu(), kaun.layer_norm(5)])
    variables = kaun.init(theirs, rng=4)
    arrays = lxc.flat_names(variables.params)
    made = lxc.convert_params(arrays, theirs, style="kaun")
    for name, array in lxc.flat_names(made.params).items():
        np.testing.assert_array_equal(array, arrays[name])
    ours = nn.Chain(nn.Dense(5, 5, nn.relu), nn.LayerNorm((5,), affine=True, dims=-1))
    x = drawn(3, 5)
    made = lxc.convert_params(arrays, ours, style="kaun")
    y, _ = ours(x, made.params, made.state)
    expected, _ = kaun.apply(theirs, variables, x)
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)
