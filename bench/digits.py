"""Measure the digits network against PyTorch on this machine, in turns.

    python bench/digits.py [--rounds 40] [--threads 1]

Every round times each contender once, in an order that rotates, so that a slow moment of
the machine falls on all of them. The median of the rounds and the ratio to lxc are printed.
Needs torch.
"""

import argparse
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

import lxc

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
Contender = Callable[[], object]


def contenders(batch: int, threads: int) -> dict[str, Contender]:
    """Return a call per library, each on its own copy of the same images and weights."""
    example = runpy.run_path(str(DIGITS / "model.py"), run_name="model")
    model = example["model"]
    network = runpy.run_path(str(DIGITS / "train.py"), run_name="train")["twin"]().eval()
    images = (np.load(DIGITS / "test.npz")["images"][:batch] / 16).astype(np.float32)
    ps, st = example["trained"]()
    compiled = lxc.compile(model, images, ps, st, target="native")
    bound = compiled.bind(ps, st, threads=threads)
    torch.set_num_threads(threads)
    tensor = torch.from_numpy(images)

    def run_torch() -> object:
        with torch.inference_mode():
            return network(tensor)

    return {
        "lxc": lambda: bound(images, st),
        "torch eager": run_torch,
        "NumPy reference": lambda: model(images, ps, st),
    }


def measure(calls: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every round, the contenders in turn."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        for _ in range(3):
            calls[name]()
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            start = time.perf_counter()
            for _ in range(10):
                calls[name]()
            times[name].append((time.perf_counter() - start) / 10)
    return times


def main() -> None:
    """Measure at two batch sizes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    for batch in (1, 64):
        times = measure(contenders(batch, options.threads), options.rounds)
        own = median(times["lxc"])
        print(f"batch {batch}, {options.threads} thread(s), {options.rounds} rounds")
        for name, seconds in times.items():
            middle = median(seconds)
            print(
                f"  {name:16} median {middle * 1e6:9.1f} us"
                f"  min {min(seconds) * 1e6:9.1f} us"
                f"  {middle / own:6.2f} x lxc"
            )


if __name__ == "__main__":
    main()
