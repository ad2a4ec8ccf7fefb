"""Every case that is measured on a card: a case of the processor's suite in a precision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import prod

from cpu_suite.case import Case
from cpu_suite.cases import decoder, one
from gpu_suite.ways import EACH

PRECISIONS = ("float32", "tf32", "bf16")
TOLERANCES = {"float32": 2e-3, "tf32": 1e-2, "bf16": 5e-2}
"""The largest error, relative to the largest output."""

FIRST_PRECISIONS = ("bf16", "float32", "tf32")
"""Those of whole models, in the order in which they are measured."""

SMALL, LARGE = ("torch", "compile-graph"), ("torch", "compile")
"""Who is compared with. A compilation takes torch longer than all else, so there is one for
each task: with graphs where launches take the time, and without their copies of what goes
in where arrays are large.
"""

SIZES = (512, 1024, 2048, 4096, 8192)
RESNET50 = {"block": "bottleneck", "depths": (3, 4, 6, 3)}


@dataclass(frozen=True)
class Task:
    """A case, the type of what its products multiply, and who else computes it."""

    case: Case
    precision: str
    rivals: tuple[str, ...] = LARGE

    @property
    def name(self) -> str:
        """The name of the case and the precision."""
        return f"{self.case.name} {self.precision}"

    @property
    def file(self) -> str:
        """The name of the artifact."""
        return "".join(c if c.isalnum() else "-" for c in self.name) + ".lxc"

    @property
    def work(self) -> tuple[str, float] | None:
        """The limit of the card that one part of a network comes up against, and its work.

        Work is in what the limit has per second: 10^9 bytes, or 10^12 operations.
        """
        if self.case.family == "dense":
            return self.precision, 2 * float(self.case.options["in_features"]) ** 3 / 1e12
        if not self.case.name.startswith("op/"):
            return None
        (array,) = self.case.inputs
        return "copy_gbs", 2 * 4 * float(prod(array.shape)) / 1e9

    def rivals_of(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Return who is compared with: the contenders asked for, or those of this task."""
        return self.rivals if EACH in asked else tuple(asked)


def products() -> list[Case]:
    """Return square matrix products with a bias."""
    options = [{"in_features": size, "out_features": size} for size in SIZES]
    return [
        Case(f"gemm/{size}", "dense", one(size, size), given)
        for size, given in zip(SIZES, options, strict=True)
    ]


def streams() -> list[Case]:
    """Return what is bound by memory."""
    return [
        Case("op/softmax 32x12x512x512", "softmax", one(32, 12, 512, 512)),
        Case(
            "op/layernorm 65536x768",
            "layer_norm",
            one(65536, 768),
            {"normalized_shape": 768},
        ),
        Case("op/gelu 8192x8192", "elementwise", one(8192, 8192), {"function": "gelu"}),
        Case("op/relu 8192x8192", "elementwise", one(8192, 8192), {"function": "relu"}),
    ]


def networks() -> Iterator[tuple[Case, tuple[str, ...]]]:
    """Yield the whole models, and who else computes each."""
    bert = {"layers": 12, "width": 768, "heads": 12, "hidden": 3072}
    lstm = {"cell": "lstm", "inputs": 256, "hidden": 256}
    yield Case("model/mlp b1", "mlp", one(1, 784), {"sizes": (784, 512, 256, 10)}), SMALL
    yield Case("rnn/lstm T512 B1 H256", "recurrent", one(512, 1, 256), lstm), SMALL
    yield decoder(12, 768, 12, 32000, 1024), SMALL
    for batch, rivals in ((1, SMALL), (32, LARGE)):
        images = one(batch, 3, 224, 224)
        yield Case(f"model/resnet50 b{batch}", "resnet", images, RESNET50), rivals
        for time in (128, 512):
            name, rows = f"model/bert b{batch} s{time}", one(batch, time, 768)
            yield Case(name, "bert", rows, bert), rivals


def tasks() -> Iterator[Task]:
    """Yield all tasks, every case in one precision before the rest of whole models.

    A run may have no time for the last ones.
    """
    for case in products():
        yield from (Task(case, precision) for precision in PRECISIONS)
    for case in streams():
        yield Task(case, "float32")
    for precision in FIRST_PRECISIONS:
        yield from (Task(case, precision, rivals) for case, rivals in networks())


TASKS: tuple[Task, ...] = tuple(tasks())


def chosen(patterns: list[str]) -> list[Task]:
    """Return the tasks whose names match any of the patterns; all without a pattern.

    Raises ValueError for a pattern that matches nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        glob = pattern if any(mark in pattern for mark in "*?[") else f"*{pattern}*"
        matching = {task.name for task in TASKS if fnmatchcase(task.name, glob)}
        if not matching:
            raise ValueError(f"no case matches {pattern!r}: --list shows them all")
        found |= matching
    return [task for task in TASKS if task.name in found or not patterns]
