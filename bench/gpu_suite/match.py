"""One task: everyone is built, checked against float64, and timed in turns."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from cpu_suite.case import Array
from cpu_suite.torch_models import module_of
from gpu_suite.cases import TOLERANCES, Task
from gpu_suite.own import Parts, parts_of, placed
from gpu_suite.rival import exact, rival, settle
from gpu_suite.turns import medians
from gpu_suite.verdict import Verdict

Built = tuple[Callable[[], Any], Callable[[], list[torch.Tensor]]]


def parts_here(task: Task) -> Parts:
    """Return a task with the weights that torch draws, the same in every process."""
    return parts_from(task, module_of(task.case).state_dict(), task.case.arrays())


def parts_from(
    task: Task, state: Mapping[str, torch.Tensor], arrays: Mapping[str, Array]
) -> Parts:
    """Return a task with weights of torch that lie on the host."""
    weights = {name: tensor.numpy() for name, tensor in state.items()}
    return parts_of(task, weights, arrays)


def play(
    task: Task,
    folder: Path,
    rivals: Sequence[str],
    rounds: int,
    begin: Callable[[str], None],
) -> Verdict:
    """Return the verdict of a task; whoever fails or is wrong is not timed.

    `begin` hears what is tried next. A failure that leaves the card unusable ends the task.
    """
    verdict = Verdict(task.name)
    settle(task.precision)
    module, arrays = module_of(task.case), task.case.arrays()
    state = module.state_dict()  # which stays on the host
    module = module.cuda()
    inputs = [torch.from_numpy(array).cuda() for array in arrays.values()]
    expected = exact(module, inputs)
    makers: dict[str, Callable[[], Built]] = {
        "lxc": lambda: placed(folder / task.file, parts_from(task, state, arrays), expected)
    }
    for way in rivals:
        makers[way] = lambda way=way: rival(way, task, module, inputs)  # type: ignore[misc]
    calls = {}
    for name, make in makers.items():
        begin(name)
        try:
            call, outputs = make()
            call()
            error = error_of(outputs(), expected)
        except Exception as failure:
            verdict.problems[name] = f"{type(failure).__name__}: {str(failure)[:300]}"
            if is_usable():
                continue
            return verdict
        verdict.errors[name] = error
        if error <= TOLERANCES[task.precision]:
            calls[name] = call
        else:
            verdict.problems[name] = f"wrong by {error:.1e}"
    begin("timing")
    verdict.seconds |= medians(calls, rounds)
    return verdict


def is_usable() -> bool:
    """Tell whether this process can go on with the card after a failure."""
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return False
    return True


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
