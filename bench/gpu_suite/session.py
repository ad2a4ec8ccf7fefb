"""What a process does with the card: its limits, and one task after the other."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from gpu_suite.cases import TASKS
from gpu_suite.match import is_usable, play
from gpu_suite.roofline import roofline
from gpu_suite.verdict import Verdict

BY_NAME = {task.name: task for task in TASKS}


def greeting() -> dict[str, Any]:
    """Return whether there is a card, and which."""
    if not torch.cuda.is_available():
        return {"status": "absent", "detail": "torch sees no card here"}
    name = torch.cuda.get_device_name()
    return {"status": "ok", "card": name, "torch": torch.__version__}


def limits(rounds: int) -> dict[str, Any]:
    """Return the roofline of the card."""
    return {"roofline": roofline(rounds)}


def played(
    name: str,
    folder: Path,
    rivals: Sequence[str],
    rounds: int,
    begin: Callable[[str], None],
) -> dict[str, Any]:
    """Return the verdict of a task, and whether the process is of any use after it."""
    try:
        task = BY_NAME[name]
        verdict = play(task, folder, task.rivals_of(rivals), rounds, begin)
    except Exception as failure:
        said = f"{type(failure).__name__}: {str(failure)[:300]}"
        verdict = Verdict(name, problems={"all": said})
    usable = is_usable()
    if usable:
        torch.cuda.empty_cache()
    fields = {"seconds": verdict.seconds, "errors": verdict.errors}
    return {**fields, "problems": verdict.problems, "is_usable": usable}
