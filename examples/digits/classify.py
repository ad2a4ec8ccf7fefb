"""Compile the digits network for this machine and classify every test image with it.

    python examples/digits/classify.py

Prints accuracy, agreement with the float64 reference, latency and size, and draws a few
digits with their predictions into `digits.svg`.
"""

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from model import model, trained
from numpy.typing import NDArray

import lxc
from lxc.ir import evaluate
from lxc.ir.agreement import agreement, longest_sum
from lxc.tree import flatten

HERE = Path(__file__).parent
ARTIFACT = Path("digits.lxc")
PICTURE = Path("digits.svg")


def latency(
    compiled: lxc.CompiledModel, images: NDArray[np.float32], ps: Any, st: Any
) -> float:
    """Return the median seconds of a call with the trees bound."""
    bound = compiled.bind(ps, st)
    times = []
    for _ in range(300):
        start = time.perf_counter()
        bound(images, st)
        times.append(time.perf_counter() - start)
    return median(times)


def draw(
    images: NDArray[np.float32], labels: NDArray[np.uint8], predicted: NDArray[np.int64]
) -> str:
    """Return an SVG picture of images in a row, each above what it was taken for."""
    cell, gap = 10, 24
    parts = []
    for place, (image, label, guess) in enumerate(
        zip(images, labels, predicted, strict=True)
    ):
        left = gap + place * (8 * cell + gap)
        for (row, column), value in np.ndenumerate(image):
            shade = 255 - int(value * 255)
            parts.append(
                f'<rect x="{left + column * cell}" y="{gap + row * cell}" width="{cell}" '
                f'height="{cell}" fill="rgb({shade},{shade},{shade})"/>'
            )
        colour = "#156f3a" if guess == label else "#b3261e"
        parts.append(
            f'<text x="{left + 4 * cell}" y="{8 * cell + 2 * gap}" font-size="20" '
            f'font-family="sans-serif" text-anchor="middle" fill="{colour}">{guess}</text>'
        )
    width, height = gap + len(images) * (8 * cell + gap), 8 * cell + 3 * gap
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Compile, run, compare, measure, draw."""
    test = np.load(HERE / "test.npz")
    images, labels = (test["images"] / 16).astype(np.float32), test["labels"]
    ps, st = trained()
    batch = lxc.Dim("N", 1, len(images))
    spec = lxc.TensorSpec((batch, *images.shape[1:]), images.dtype)
    start = time.perf_counter()
    compiled = lxc.compile(model, spec, ps, st, target="native", name="digits")
    compiled.save(ARTIFACT, params=ps, state=st, force=True)
    seconds = time.perf_counter() - start

    loaded = lxc.load(ARTIFACT)
    logits, _ = loaded(images, loaded.params, loaded.state)
    eager, _ = model(images, ps, st)
    graph = lxc.trace(model, spec, ps, st)
    (exact,), _ = evaluate(graph, [images], flatten(ps)[0], flatten(st)[0], wide=True)
    close = agreement(logits, eager, exact, longest_sum(graph))

    one = latency(loaded, images[:1], ps, st)
    many = latency(loaded, images[:64], ps, st) / 64
    PICTURE.write_text(draw(images[:12, 0], labels[:12], logits[:12].argmax(1)))
    print(f"compiled   {ARTIFACT} for {loaded.target.name} in {seconds:.1f} s")
    right, eager_right = ((y.argmax(1) == labels).mean() for y in (logits, eager))
    print(
        f"accuracy   {right:.2%} of {len(labels)} test images "
        f"(eager reference {eager_right:.2%})"
    )
    print(f"agreement  {close} relative to the largest logit, against float64")
    print(f"latency    {one * 1e6:.1f} us for one image")
    print(f"           {many * 1e6:.2f} us each in batches of 64")
    print(f"size       {ARTIFACT.stat().st_size / 1024:.1f} KiB with parameters")
    print(f"picture    {PICTURE}")
    if not close.holds:
        raise SystemExit("the artifact does not agree with the reference")


if __name__ == "__main__":
    main()
