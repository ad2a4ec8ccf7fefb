"""Whole models that torch exports mean what onnxruntime computes, by the float64 rule."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lxc
from cpu_suite.torch_models import scatter
from cpu_suite.torch_models.images import MobileNetV2, ResNet
from cpu_suite.torch_models.sequences import Classifier, Stack
from lxc.frontend.onnx.reader import load_onnx
from lxc.ir.agreement import agreement, longest_sum
from lxc.ir.evaluate import evaluate
from lxc.ir.types import Array
from lxc.tree import flatten
from tests.onnx.graphs import argument, by_onnxruntime

SMALL = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 2)]


class Words(nn.Module):
    """An encoder of words with a mask, as BERT classifies sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 32), nn.Embedding(16, 32)
        layer = nn.TransformerEncoderLayer(
            32, 4, 64, batch_first=True, activation="gelu", dropout=0.0
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 3)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        x = self.words(words) + self.places(torch.arange(words.shape[1]))
        x = self.encoder(x, src_key_padding_mask=mask == 0)
        scores: Tensor = torch.tanh(self.head(x[:, 0]))
        return scores


class Gates(nn.Module):
    """Both directions of two LSTMs, then a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 12)
        self.first = nn.LSTM(12, 16, 2, batch_first=True, bidirectional=True)
        self.second, self.head = nn.GRU(32, 8), nn.Linear(8, 5)

    def forward(self, words: Tensor) -> Tensor:
        scores: Tensor = self.head(self.second(self.first(self.words(words))[0])[0][:, -1])
        return scores


@dataclass(frozen=True)
class Exported:
    """A model, what it is called with, and its open dimensions by name."""

    make: Callable[[], nn.Module]
    inputs: Mapping[str, Callable[[], Tensor]]
    axes: Mapping[str, Mapping[int, str]]
    bounds: Mapping[str, tuple[int, int]]
    compiled: bool = False

    def write(self, path: Path) -> dict[str, Array]:
        """Write the ONNX file and return the inputs."""
        torch.manual_seed(0)
        module = self.make().eval()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                scatter(part)
        given = {name: make() for name, make in self.inputs.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                tuple(given.values()),
                str(path),
                dynamo=False,
                input_names=list(given),
                output_names=["scores"],
                dynamic_axes=self.axes,
            )
        return {name: value.numpy() for name, value in given.items()}


BATCH = {"batch": (1, 8)}
MODELS = {
    "resnet18": Exported(
        lambda: ResNet("basic", (2, 2, 2, 2)),
        {"image": lambda: torch.randn(2, 3, 32, 32)},
        {"image": {0: "batch"}},
        BATCH,
    ),
    "mobilenet": Exported(
        lambda: MobileNetV2(SMALL),
        {"image": lambda: torch.randn(2, 3, 32, 32)},
        {"image": {0: "batch"}},
        BATCH,
    ),
    "bert": Exported(
        lambda: Stack(layers=2, width=32, heads=4, hidden=64),
        {"x": lambda: torch.randn(2, 9, 32)},
        {"x": {0: "batch", 1: "time"}},
        {**BATCH, "time": (1, 16)},
    ),
    "words": Exported(
        Words,
        {
            "words": lambda: torch.randint(0, 50, (2, 9)),
            "mask": lambda: (torch.arange(9) < torch.tensor([[9], [4]])).long(),
        },
        {"words": {0: "batch"}, "mask": {0: "batch"}},
        BATCH,
        compiled=True,
    ),
    "classifier": Exported(
        lambda: Classifier(12, 16, 4),
        {"x": lambda: torch.randn(7, 2, 12)},
        {"x": {1: "batch"}},
        BATCH,
        compiled=True,
    ),
    "gates": Exported(
        Gates, {"x": lambda: torch.randint(0, 50, (2, 9))}, {"x": {0: "batch"}}, BATCH
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_torch_means_what_onnxruntime_computes(
    name: str, tmp_path: Path
) -> None:
    exported, path = MODELS[name], tmp_path / "model.onnx"
    inputs = exported.write(path)
    (wanted,) = by_onnxruntime(path, inputs)
    model = load_onnx(path)
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, model.inputs(**exported.bounds), ps, st)
    x = argument(model, inputs)
    leaves, params = flatten(x)[0], flatten(ps)[0]
    ((narrow,), _) = evaluate(graph, leaves, params)
    ((exact,), _) = evaluate(graph, leaves, params, wide=True)
    found = {"onnxruntime": wanted}
    if exported.compiled:
        found["compiled"] = lxc.compile(graph, target="x86-64-v2")(x, ps, st)[0]
    for which, y in found.items():
        close = agreement(np.asarray(y), narrow, exact, longest_sum(graph))
        assert close.holds, f"{which}: {close}"


@pytest.mark.slow
def test_resnet18_compiles_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    inputs = MODELS["resnet18"].write(path)
    model = load_onnx(path)
    ps, st = lxc.setup(0, model)
    compiled = lxc.compile(model, model.inputs(batch=(1, 8)), ps, st)
    y, _ = compiled(inputs["image"], ps, st)
    (wanted,) = by_onnxruntime(path, inputs)
    np.testing.assert_allclose(y, wanted, atol=2e-5 * np.abs(wanted).max())
