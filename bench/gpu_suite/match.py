"""One task: everyone is built, checked against float64, and timed in turns."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from cpu_suite.torch_models import module_of
from gpu_suite.cases import TOLERANCES, Task
from gpu_suite.own import Parts, parts_of, placed
from gpu_suite.rival import WAYS, exact, rival, settle
from gpu_suite.turns import medians

Built = tuple[Callable[[], Any], Callable[[], list[torch.Tensor]]]


@dataclass
class Verdict:
    """What became of everyone in a task: seconds, errors, and what went wrong."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times faster lxc is than the best of the others."""
        others = [spent for name, spent in self.seconds.items() if name != "lxc"]
        if "lxc" not in self.seconds or not others:
            return None
        return min(others) / self.seconds["lxc"]

    def json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return {**asdict(self), "ratio": self.ratio}


def parts_here(task: Task) -> Parts:
    """Return a task with the weights that torch draws, the same in every process."""
    state = module_of(task.case).state_dict()
    weights = {name: tensor.numpy() for name, tensor in state.items()}
    return parts_of(task, weights, task.case.arrays())


def play(task: Task, folder: Path, rivals: Sequence[str], rounds: int) -> Verdict:
    """Return the verdict of a task; whoever fails or is wrong is not timed."""
    verdict = Verdict(task.name)
    settle(task.precision)
    module = module_of(task.case).cuda()
    inputs = [torch.from_numpy(array).cuda() for array in task.case.arrays().values()]
    expected = exact(module, inputs)
    makers: dict[str, Callable[[], Built]] = {
        "lxc": lambda: placed(folder / task.file, parts_here(task), expected)
    }
    for way in rivals:
        makers[way] = lambda way=way: rival(way, task, module, inputs)  # type: ignore[misc]
    calls = {}
    for name, make in makers.items():
        try:
            call, outputs = make()
            call()
            error = error_of(outputs(), expected)
        except Exception as failure:
            verdict.problems[name] = f"{type(failure).__name__}: {str(failure)[:300]}"
            continue
        verdict.errors[name] = error
        if error <= TOLERANCES[task.precision]:
            calls[name] = call
        else:
            verdict.problems[name] = f"wrong by {error:.1e}"
    verdict.seconds |= medians(calls, rounds)
    return verdict


def error_of(outputs: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> float:
    """Return the largest difference, relative to the largest number of an output.

    Outputs of another shape, and those that are not finite, are infinitely wrong.
    """
    torch.cuda.synchronize()
    if [y.shape for y in outputs] != [want.shape for want in expected]:
        return float("inf")
    worst = 0.0
    for y, want in zip(outputs, expected, strict=True):
        if not bool(torch.isfinite(y).all()):
            return float("inf")
        scale = max(float(want.abs().max()), 1e-30)
        worst = max(worst, float((y.double() - want).abs().max()) / scale)
    return worst


ALL_RIVALS = tuple(WAYS)
