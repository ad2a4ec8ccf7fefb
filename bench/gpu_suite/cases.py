"""Every case that is measured on a card: a case of the processor's suite in a precision."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from cpu_suite.case import Case
from cpu_suite.cases import decoder, one

PRECISIONS = ("float32", "tf32", "bf16")
TOLERANCES = {"float32": 2e-3, "tf32": 1e-2, "bf16": 5e-2}
"""The largest error, relative to the largest output."""

SIZES = (512, 1024, 2048, 4096, 8192)
RESNET50 = {"block": "bottleneck", "depths": (3, 4, 6, 3)}


@dataclass(frozen=True)
class Task:
    """A case, and the type of what its products multiply."""

    case: Case
    precision: str

    @property
    def name(self) -> str:
        """The name of the case and the precision."""
        return f"{self.case.name} {self.precision}"

    @property
    def file(self) -> str:
        """The name of the artifact."""
        return "".join(c if c.isalnum() else "-" for c in self.name) + ".lxc"


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


def networks() -> list[Case]:
    """Return the whole models."""
    bert = {"layers": 12, "width": 768, "heads": 12, "hidden": 3072}
    found = [
        Case("model/mlp b1", "mlp", one(1, 784), {"sizes": (784, 512, 256, 10)}),
        Case(
            "rnn/lstm T512 B1 H256",
            "recurrent",
            one(512, 1, 256),
            {"cell": "lstm", "inputs": 256, "hidden": 256},
        ),
        decoder(12, 768, 12, 32000, 1024),
    ]
    for batch in (1, 32):
        found.append(
            Case(f"model/resnet50 b{batch}", "resnet", one(batch, 3, 224, 224), RESNET50)
        )
        found += [
            Case(f"model/bert b{batch} s{time}", "bert", one(batch, time, 768), bert)
            for time in (128, 512)
        ]
    return found


TASKS: tuple[Task, ...] = tuple(
    Task(case, precision)
    for case in (*products(), *streams(), *networks())
    for precision in (PRECISIONS if not case.name.startswith("op/") else ("float32",))
)


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
