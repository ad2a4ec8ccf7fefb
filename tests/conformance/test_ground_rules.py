"""What holds for every layer: orders of axes and of weights, tolerances."""

import inspect
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import lxc
from lxc import kaun, nn
from lxc.runtime.checkpoint import write_checkpoint
from tests.conformance.columns import Column, close, close_sums, draw, f32, same
from tests.conformance.rows import row, rows

SHAPES = "the shapes of parameters are decided before anything is computed"


DECIDED: dict[str, tuple[tuple[Any, str], ...]] = {
    "D1": ((nn.PairwiseFusion, "connection(layer_i(y), x[i + 1])"),),
    "D2": ((nn.WeightNorm, "the entire array"),),
    "D3": ((nn.LayerNorm, "whose code has them by default"),),
    "D4": ((nn.Chain, "named chains are never simplified"),),
    "D5": ((nn.Scale, "starts from glorot_uniform"),),
    "D6": ((nn.LSTMCell, "1 on the third block"),),
    "D7": ((nn.LSTMCell, "uses init_state there too"),),
    "D8": ((nn.Upsample, 'refuses mode "linear"'),),
    "D9": ((nn.LayerNorm, "std + epsilon"), (nn.GroupNorm, "std + epsilon")),
    "D10": ((nn.GroupNorm, "Tracking is on by default"),),
    "D11": ((nn.InstanceNorm, "behind a `Dense`"),),
    "D12": ((nn.AlphaDropout, "a layer of zeros in both modes"),),
    "D13": ((nn.ConvTranspose, "promises size * stride"),),
    "D14": ((nn.VariationalHiddenDropout, "overwrites the mask"),),
    "D15": ((nn.BatchNorm, "running variance of NaN"),),
    "D16": ((nn.GroupNorm, "nothing to hold"), (nn.InstanceNorm, "nothing to hold")),
    "D17": ((nn.Recurrence, "returns a Vector"),),
    "D18": ((kaun.dropout, "a key is found in the surrounding scope"),),
    "D19": ((nn.Conv, "Flipping happens once"),),
}
"""Where the documentation of each decision stands, and what it says there."""


@row("GR-1", eager_because="the row is about the documentation")
@pytest.mark.parametrize("decision", DECIDED)
def test_a_decision_stands_in_the_documentation_of_its_layer(decision: str) -> None:
    assert decision in rows()
    for home, words in DECIDED[decision]:
        family = "Kaun" if home is kaun.dropout else "Lux.jl"
        text = " ".join(str(inspect.getdoc(home)).split())
        # What Lux.jl does stands next to what is done here.
        near = text[max(0, text.index(words) - 200) : text.index(words) + 200]
        assert family in near


@row("GR-1", eager_because="the row is about the documentation")
def test_every_decision_is_documented() -> None:
    named = [name for name, (section, _) in rows().items() if section == "Decisions"]
    assert sorted(named) == sorted(DECIDED)


@row("GR-2")
def test_arrays_are_in_numpy_order(column: Column) -> None:
    # What Lux.jl writes as a size of (4, 3, 2, 5) is [5, 2, 3, 4] here: batch, channels,
    # height, width.
    convolution = nn.CrossCor((1, 3), 2, 6)
    model = nn.BranchLayer(convolution, nn.MaxPool((3, 1)), nn.FlattenLayer())
    ps, st = lxc.setup(0, model)
    x = draw(5, 2, 3, 4)
    y, pooled, flat = column(model, x, ps, st)[0]
    image = torch.tensor(x)
    weight = torch.tensor(ps["layer_1"]["weight"])
    close_sums(y, functional.conv2d(image, weight).numpy())
    assert np.shape(y) == (5, 6, 3, 2)
    close(pooled, functional.max_pool2d(image, (3, 1)).numpy())
    same(np.asarray(flat), x.reshape(5, 24))


@row("GR-2")
def test_lines_volumes_and_sequences_are_in_numpy_order(column: Column) -> None:
    # Lux.jl's (L, C, N), (W, H, D, C, N) and (in, T, batch), in memory as Julia has them.
    line, volume, series = (
        np.asfortranarray(draw(*shape, seed=rank)).T
        for rank, shape in enumerate(((6, 2, 5), (5, 4, 3, 2, 5), (2, 4, 5)))
    )
    model = nn.Parallel(
        None,
        nn.CrossCor((3,), 2, 6, use_bias=False),
        nn.CrossCor((1, 2, 3), 2, 6, use_bias=False),
        nn.Recurrence(nn.RNNCell(2, 3), return_sequence=True),
    )
    ps, st = lxc.setup(0, model)
    one, three, steps = column(model, (line, volume, series), ps, st)[0]
    kernels = [torch.tensor(ps[name]["weight"]) for name in ("layer_1", "layer_2")]
    close_sums(one, functional.conv1d(torch.tensor(line), kernels[0]).numpy())
    close_sums(three, functional.conv3d(torch.tensor(volume), kernels[1]).numpy())
    assert (np.shape(one), np.shape(three)) == ((5, 6, 4), (5, 6, 3, 3, 3))
    assert [np.shape(step) for step in steps] == [(5, 3)] * 4


@row("GR-3")
def test_axes_are_those_of_numpy_and_may_be_negative(column: Column) -> None:
    x = draw(2, 3, 4, 5)
    pairs: dict[str, tuple[Any, int, Any]] = {
        "SelectDim": (partial(nn.SelectDim, index=0), 1, x[:, 0]),
        "LayerNorm": (partial(norm_over, x), 2, None),
        "mean": (lambda axis: lambda x: lxc.ops.mean(x, axis), 3, x.mean(3)),
    }
    made = [make(axis - back) for make, axis, _ in pairs.values() for back in (0, 4)]
    outputs = column.fresh(nn.BranchLayer(*made), x)
    for place, (_, axis, expected) in enumerate(pairs.values()):
        positive, negative = outputs[2 * place : 2 * place + 2]
        same(np.asarray(positive), np.asarray(negative))
        if expected is None:
            last = torch.tensor(x).movedim(axis, -1)
            normal = functional.layer_norm(last, (4,)).movedim(-1, axis)
            close_sums(positive, normal.numpy())
        else:
            close_sums(positive, expected)


def norm_over(x: Any, axis: int) -> Any:
    return nn.LayerNorm(x.shape[1:], dims=axis)


@row("GR-3")
def test_the_axes_of_a_mask_may_be_negative(column: Column) -> None:
    model = nn.BranchLayer(nn.Dropout(0.5, dims=-1), nn.Dropout(0.5, dims=1))
    ps, st = lxc.setup(0, model)
    st = {name: {**part, "rng": st["layer_1"]["rng"]} for name, part in st.items()}
    one, two = column(model, np.ones((6, 9), np.float32), ps, st)[0]
    same(np.asarray(one), np.asarray(two))
    assert (np.asarray(one) == np.asarray(one)[0]).all()
    assert 0 < np.count_nonzero(one) < 54


@row("GR-3")
def test_kept_axes_and_kept_masks_may_be_negative_too(column: Column) -> None:
    layers = [
        make(dims)
        for make, axis in (
            (lambda dims: nn.WeightNorm(nn.Dense(3, 2), ("weight",), dims=(dims,)), 0),
            (lambda dims: nn.VariationalHiddenDropout(0.5, dims=dims), 1),
        )
        for dims in (axis, axis - 2)
    ]
    model = nn.BranchLayer(*layers)
    ps, st = lxc.setup(0, model)
    ps = {**ps, "layer_2": ps["layer_1"]}
    st = {**st, "layer_4": st["layer_3"]}
    one, two, positive, negative = column(model, draw(6, 3), ps, st)[0]
    assert ps["layer_1"]["normalized"]["weight_g"].shape == (2, 1)
    same(np.asarray(one), np.asarray(two))
    same(np.asarray(positive), np.asarray(negative))


@row("GR-4")
def test_spatial_tuples_are_height_then_width(column: Column) -> None:
    x = np.ones((1, 1, 4, 6), np.float32)
    options: Any = {"use_bias": False, "init_weight": nn.ones32}
    models = {
        "kernel": (nn.Conv((1, 3), 1, 1, **options), (4, 4)),
        "stride": (nn.Conv((1, 1), 1, 1, stride=(1, 2), **options), (4, 3)),
        "dilation": (nn.Conv((2, 2), 1, 1, dilation=(1, 3), **options), (3, 3)),
        "pad": (nn.Conv((1, 1), 1, 1, pad=(0, 1), **options), (4, 8)),
        "pairs": (nn.Conv((1, 1), 1, 1, pad=(1, 2, 0, 1), **options), (7, 7)),
        "window": (nn.MeanPool((4, 1)), (1, 6)),
        "outputs": (nn.AdaptiveMaxPool((1, 3)), (1, 3)),
        "scale": (nn.Upsample("nearest", scale=(1, 2)), (4, 12)),
        "size": (nn.Upsample("nearest", size=(8, 6)), (8, 6)),
    }
    model = nn.BranchLayer(**{name: layer for name, (layer, _) in models.items()})
    outputs = column.fresh(model, x)
    shapes = {name: np.shape(y)[2:] for name, y in zip(models, outputs, strict=True)}
    assert shapes == {name: shape for name, (_, shape) in models.items()}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 1)))
    same(np.asarray(outputs[list(models).index("pairs")]), padded)


@row("GR-5")
def test_weights_have_the_layout_of_torch(column: Column) -> None:
    model = nn.Parallel(
        None,
        nn.Dense(4, 3),
        nn.CrossCor((2, 3), 4, 6, groups=2),
        nn.ConvTranspose((2, 3), 4, 6, groups=2),
        nn.Embedding(5, 3),
    )
    ps, st = lxc.setup(0, model)
    dense, conv, transposed, table = (part["weight"] for part in ps.values())
    assert dense.shape == (3, 4)
    assert conv.shape == (6, 2, 2, 3)
    assert transposed.shape == (4, 3, 2, 3)
    assert table.shape == (5, 3)
    x, image = draw(2, 4), draw(2, 4, 3, 4, seed=1)
    ids = np.array([4, 0], np.int32)
    y = column(model, (x, image, image, ids), ps, st)[0]
    close_sums(y[0], functional.linear(torch.tensor(x), torch.tensor(dense)).numpy())
    wide = torch.tensor(image)
    close_sums(y[1], functional.conv2d(wide, torch.tensor(conv), groups=2).numpy())
    flipped = torch.tensor(transposed[..., ::-1, ::-1].copy())
    expected = functional.conv_transpose2d(wide, flipped, groups=2)
    close_sums(y[2], expected.numpy())
    same(np.asarray(y[3]), table[[4, 0]])


@row("GR-5")
@row("T36")
def test_the_weight_of_kaun_linear_is_in_by_out(column: Column) -> None:
    layer = kaun.linear(in_features=4, out_features=3)
    vars = kaun.init(layer, rng=0)
    assert vars.params["weight"].shape == (4, 3)
    x = draw(2, 4)
    y, _ = column.kaun(layer, x, vars)
    weight = torch.tensor(vars.params["weight"])
    close_sums(y, functional.linear(torch.tensor(x), weight.T).numpy())
    lux = nn.Dense(4, 3)
    ps = {"weight": vars.params["weight"].T.copy(), "bias": np.zeros(3, np.float32)}
    assert lxc.setup(0, lux)[0]["weight"].shape == ps["weight"].shape
    close_sums(column(lux, x, ps, {})[0], np.asarray(y))


@row("GR-6", eager_because=SHAPES)
def test_biases_have_no_batch_axis() -> None:
    for model, bias in (
        (nn.Dense(2, 3), (3,)),
        (nn.Conv((3, 3), 2, 3), (3,)),
        (nn.ConvTranspose((3, 3), 2, 3), (3,)),
        (nn.Bilinear((2, 2), 3), (3,)),
        (nn.LSTMCell(2, 3), (12,)),
        (nn.LayerNorm((3, 1, 1), affine=True), (3, 1, 1)),
        (nn.BatchNorm(3), (3,)),
    ):
        assert lxc.setup(0, model)[0]["bias"].shape == bias


@row("GR-6", eager_because="a file is read before anything is computed")
def test_a_bias_with_a_batch_axis_is_squeezed_when_it_is_read(tmp_path: Path) -> None:
    model = nn.Chain(nn.Conv((2, 2), 1, 3), nn.GlobalMeanPool(), nn.FlattenLayer())
    model = nn.Chain(model, nn.Dense(3, 2), nn.LayerNorm((2,), affine=True))
    ps, _ = lxc.setup(0, model)
    rng = np.random.default_rng(1)
    names = lxc.flat_names(ps)
    values = {name: f32(rng.standard_normal(leaf.shape)) for name, leaf in names.items()}
    stored = dict(values)
    stored["layer_1.bias"] = values["layer_1.bias"].reshape(1, 3, 1, 1)
    stored["layer_4.bias"] = values["layer_4.bias"].reshape(2, 1)
    stored["layer_5.scale"] = values["layer_5.scale"].reshape(1, 2)
    write_checkpoint(tmp_path / "seed.safetensors", stored)
    read, _ = lxc.load_params(tmp_path / "seed.safetensors", ps)
    read_names = lxc.flat_names(read)
    assert list(read_names) == list(values)
    for name, value in values.items():
        np.testing.assert_array_equal(read_names[name], value, strict=True)


@row("GR-7")
def test_indices_count_from_zero(column: Column) -> None:
    model = nn.Parallel(None, nn.Embedding(3, 2), nn.SelectDim(1, 0))
    ps, st = lxc.setup(0, model)
    x = draw(2, 3)
    ids = np.array([0, 2], np.int32)
    vectors, first = column(model, (ids, x), ps, st)[0]
    same(np.asarray(vectors), ps["layer_1"]["weight"][[0, 2]])
    same(np.asarray(first), x[:, 0])


@row("GR-14")
def test_results_are_within_the_tolerances(column: Column) -> None:
    x, weight = draw(16, 33), draw(32, 33, seed=1)
    cells = np.linspace(-20, 20, 16 * 33, dtype=np.float32).reshape(16, 33)
    dense = nn.Dense(33, 32, use_bias=False)
    functions = (nn.WrappedFunction(nn.tanh_fast), nn.WrappedFunction(nn.sigmoid_fast))
    model = nn.Parallel(None, dense, lambda x: np.exp(x) / (x * x + 1), *functions)
    _, st = lxc.setup(0, model)
    ps: Any = {name: {} for name in st} | {"layer_1": {"weight": weight}}
    y, ratio, tanh, sigmoid = column(model, (x, cells, cells, cells), ps, st)[0]
    close_sums(y, functional.linear(torch.tensor(x), torch.tensor(weight)).numpy())
    wide = torch.tensor(cells, dtype=torch.float64)
    close(ratio, (wide.exp() / (wide * wide + 1)).numpy())
    for fast, exact in ((tanh, wide.tanh()), (sigmoid, wide.sigmoid())):
        reference = exact.numpy().astype(np.float32)
        steps = np.abs(np.asarray(fast) - exact.numpy()) / np.spacing(np.abs(reference))
        assert steps.max() <= 8
