"""One model in growing sizes, for the plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cpu_suite.case import Case, Input

RUN, BUILD = ("run",), ("build", "size")


@dataclass(frozen=True)
class Series:
    """Cases that differ in one size, and the panels that show them."""

    title: str
    over: str
    panels: tuple[str, ...]
    cases: tuple[tuple[int, Case], ...]


def series(
    title: str,
    over: str,
    panels: tuple[str, ...],
    sizes: Sequence[int],
    make: Callable[[int], Case],
) -> Series:
    """Return the series of `make(size)`."""
    return Series(title, over, panels, tuple((size, make(size)) for size in sizes))


def grown(name: str, family: str, shape: tuple[int, ...], **options: object) -> Case:
    """Return a case of a series."""
    return Case(f"growth/{name}", family, (Input("x", shape),), options)


def mlp(batch: int) -> Case:
    """Return an MLP for so many samples."""
    return grown(f"mlp b{batch}", "mlp", (batch, 784), sizes=(784, 512, 256, 10))


def conv(batch: int) -> Case:
    """Return a convolution of so many images."""
    options = {"inputs": 64, "outputs": 64, "kernel": 3, "pad": 1}
    return grown(f"conv b{batch}", "conv", (batch, 64, 28, 28), **options)


def lstm(time: int) -> Case:
    """Return an LSTM over so many steps."""
    options = {"cell": "lstm", "inputs": 128, "hidden": 128}
    return grown(f"lstm t{time}", "recurrent", (time, 1, 128), **options)


def deep(layers: int) -> Case:
    """Return so many equal dense layers."""
    sizes = (256,) * (layers + 1)
    return grown(f"deep l{layers}", "mlp", (8, 256), sizes=sizes)


def bert(layers: int) -> Case:
    """Return so many layers of a small BERT."""
    options = {"layers": layers, "width": 256, "heads": 4, "hidden": 1024}
    return grown(f"bert l{layers}", "bert", (1, 64, 256), **options)


SERIES = (
    series("MLP", "batch", RUN, (1, 8, 16, 32, 64, 128), mlp),
    series("convolution", "batch", RUN, (1, 2, 4, 8, 16), conv),
    series("LSTM", "steps", RUN, (32, 64, 128, 256, 512), lstm),
    series("equal dense layers", "layers", BUILD, (2, 4, 8, 16, 32), deep),
    series("BERT", "layers", BUILD, (1, 2, 4, 8, 12), bert),
)
GROWTH = tuple(case for one in SERIES for _, case in one.cases)
