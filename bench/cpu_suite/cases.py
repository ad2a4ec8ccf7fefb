"""Every case that is measured."""

from fnmatch import fnmatchcase
from typing import Any

from cpu_suite.case import Case, Input
from cpu_suite.growth_cases import GROWTH
from cpu_suite.tiny_cases import TINY

GEMMS = (
    (1, 784, 512),
    (1, 4096, 4096),
    (32, 1024, 1024),
    (128, 768, 3072),
    (512, 512, 512),
    (1024, 1024, 1024),
)
# Name, size of the image, and the options of the family.
CONVOLUTIONS: tuple[tuple[str, int, dict[str, int]], ...] = (
    (
        "7x7s2 3-64 224",
        224,
        {"inputs": 3, "outputs": 64, "kernel": 7, "stride": 2, "pad": 3},
    ),
    ("3x3 64-64 56", 56, {"inputs": 64, "outputs": 64, "kernel": 3, "pad": 1}),
    ("3x3 128-128 28", 28, {"inputs": 128, "outputs": 128, "kernel": 3, "pad": 1}),
    ("3x3 256-256 14", 14, {"inputs": 256, "outputs": 256, "kernel": 3, "pad": 1}),
    ("3x3 512-512 7", 7, {"inputs": 512, "outputs": 512, "kernel": 3, "pad": 1}),
    (
        "3x3s2 128-256 28",
        28,
        {"inputs": 128, "outputs": 256, "kernel": 3, "stride": 2, "pad": 1},
    ),
    ("1x1 256-64 56", 56, {"inputs": 256, "outputs": 64, "kernel": 1}),
    ("1x1 64-256 56", 56, {"inputs": 64, "outputs": 256, "kernel": 1}),
    (
        "depthwise 3x3 96 56",
        56,
        {"inputs": 96, "outputs": 96, "kernel": 3, "pad": 1, "groups": 96},
    ),
)
MOBILENET = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
GATES = {"lstm": 4, "gru": 3}


def one(*shape: int) -> tuple[Input, ...]:
    """Return the input of a model that has one."""
    return (Input("x", shape),)


def gemms() -> list[Case]:
    """Return the dense layers; the one of 4096 x 4096 reads its weights once."""
    cases = []
    for rows, inputs, outputs in GEMMS:
        kind = "gemv" if (rows, inputs) == (1, 4096) else "gemm"
        options = {"in_features": inputs, "out_features": outputs}
        name = f"{kind}/{rows}x{inputs}x{outputs}"
        cases.append(Case(name, "dense", one(rows, inputs), options))
    return cases


def convolutions() -> list[Case]:
    """Return the convolutions, with a bias each."""
    return [
        Case(f"conv/{name}", "conv", one(1, options["inputs"], size, size), options)
        for name, size, options in CONVOLUTIONS
    ]


def operators() -> list[Case]:
    """Return what is bound by memory or by the functions it computes."""
    return [
        Case("op/softmax 8x12x128x128", "softmax", one(8, 12, 128, 128)),
        Case(
            "op/layernorm 128x768", "layer_norm", one(128, 768), {"normalized_shape": 768}
        ),
        Case("op/gelu 128x3072", "elementwise", one(128, 3072), {"function": "gelu"}),
        Case("op/tanh 128x3072", "elementwise", one(128, 3072), {"function": "tanh"}),
    ]


def recurrent(name: str, cell: str, time: int, batch: int, hidden: int) -> Case:
    """Return a recurrent layer over [time, batch, hidden] with as many hidden units."""
    options = {"cell": cell, "inputs": hidden, "hidden": hidden}
    flops = 2 * time * batch * GATES[cell] * hidden * (2 * hidden)
    return Case(f"rnn/{name}", "recurrent", one(time, batch, hidden), options, flops)


def sequences() -> list[Case]:
    """Return the recurrent layers and models."""
    classifier = {"inputs": 64, "hidden": 128, "classes": 10}
    return [
        recurrent("lstm T128 B1 H256", "lstm", 128, 1, 256),
        recurrent("lstm T128 B32 H256", "lstm", 128, 32, 256),
        recurrent("gru T512 B1 H256", "gru", 512, 1, 256),
        Case(
            "model/lstm classifier T64",
            "classifier",
            one(64, 1, 64),
            classifier,
            2 * 64 * 4 * 128 * (64 + 128) + 2 * 1280,
        ),
    ]


def perceptron(batch: int) -> Case:
    """Return the classifier of images of 28 x 28 pixels."""
    options = {"sizes": (784, 512, 256, 10)}
    return Case(f"model/mlp b{batch}", "mlp", one(batch, 784), options)


def transformer(layers: int, time: int, batch: int = 1) -> Case:
    """Return layers of BERT-base."""
    options = {"layers": layers, "width": 768, "heads": 12, "hidden": 3072}
    name = "layer" if layers == 1 else f"{layers} layers"
    return Case(f"model/bert {name} s{time}", "bert", one(batch, time, 768), options)


def decoder(layers: int, width: int, heads: int, vocab: int, time: int) -> Case:
    """Return one step of a GPT whose caches are its state."""
    size = (1, heads, time, width // heads)
    caches = [
        Input(f"{kind}_{layer}", size, state=True)
        for layer in range(layers)
        for kind in ("keys", "values")
    ]
    inputs = (Input("token", (1,), vocab), Input("position", (1,), time), *caches)
    options: dict[str, Any] = {
        "layers": layers,
        "width": width,
        "heads": heads,
        "vocab": vocab,
        "time": time,
    }
    return Case(f"model/gpt step l{layers} s{time}", "gpt", inputs, options)


def networks() -> list[Case]:
    """Return the whole models."""
    image = one(1, 3, 224, 224)
    resnet18 = {"block": "basic", "depths": (2, 2, 2, 2)}
    resnet50 = {"block": "bottleneck", "depths": (3, 4, 6, 3)}
    unet = {"width": 32, "levels": 5, "classes": 4}
    return [
        perceptron(1),
        perceptron(64),
        Case("model/resnet18", "resnet", image, resnet18),
        Case("model/resnet50", "resnet", image, resnet50),
        Case("model/mobilenetv2", "mobilenet", image, {"stages": MOBILENET}),
        Case("model/unet 128", "unet", one(1, 3, 128, 128), unet),
        transformer(1, 128),
        decoder(4, 768, 12, 8192, 256),
    ]


CASES: tuple[Case, ...] = (
    *gemms(),
    *convolutions(),
    *operators(),
    *sequences(),
    *networks(),
    *TINY,
)
BY_NAME = {case.name: case for case in (*CASES, *GROWTH)}


def chosen(patterns: list[str]) -> list[Case]:
    """Return the cases that match any of the patterns, in the order of the list.

    A pattern without * ? [ matches the name itself, or else what contains it. Raises
    ValueError for one that matches nothing.
    """
    names = [case.name for case in CASES]
    found: set[str] = set()
    for pattern in patterns:
        glob = pattern if any(mark in pattern for mark in "*?[") else f"*{pattern}*"
        exact = [name for name in names if name == pattern]
        matching = exact or [name for name in names if fnmatchcase(name, glob)]
        if not matching:
            raise ValueError(f"no case matches {pattern!r}: --list shows them all")
        found.update(matching)
    return [case for case in CASES if case.name in found]
