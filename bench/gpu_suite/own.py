"""lxc on the card: artifacts made ahead of time, and their calls on torch's memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import lxc
from cpu_suite.case import Array
from cpu_suite.lxc_models import model_of, state_of
from gpu_suite.cases import Task


@dataclass(frozen=True)
class Parts:
    """A task as lxc takes it: the model, its trees, what it is fed, the state it keeps."""

    model: Any
    params: Any
    state: Any
    inputs: Any
    kept: list[Array]


def parts_of(
    task: Task, weights: Mapping[str, Array], arrays: Mapping[str, Array]
) -> Parts:
    """Return a task with these weights and inputs."""
    case = task.case
    model, params, state = model_of(case, weights)
    given = tuple(arrays[one.name] for one in case.inputs if not one.state)
    state, kept = state_of(case, state, arrays)
    return Parts(model, params, state, given[0] if len(given) == 1 else given, kept)


def on_card(tree: Any, moved: dict[int, torch.Tensor]) -> Any:
    """Return a tree of arrays as tensors on the card, each array once."""
    if isinstance(tree, dict):
        return {name: on_card(child, moved) for name, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(on_card(child, moved) for child in tree)
    if not hasattr(tree, "dtype"):
        return tree
    if id(tree) not in moved:
        moved[id(tree)] = torch.from_numpy(tree).cuda()
    return moved[id(tree)]


def placed(
    path: Path, parts: Parts, expected: Sequence[torch.Tensor]
) -> tuple[Callable[[], Any], Callable[[], list[torch.Tensor]]]:
    """Return the call of an artifact on fixed memory of the card, and what it leaves.

    It is enqueued on torch's stream. State is updated in place.
    """
    moved: dict[int, torch.Tensor] = {}
    inputs = on_card(parts.inputs, moved)
    state = on_card(parts.state, moved) if parts.kept else None
    kept = [moved[id(array)] for array in parts.kept]
    count = len(expected) - len(kept)
    results = [
        torch.empty_like(y, dtype=torch.float32, memory_format=torch.contiguous_format)
        for y in expected[:count]
    ]
    bound = lxc.load(path).bind(parts.params, parts.state)
    call = bound.at(
        inputs=inputs,
        outputs=results[0] if count == 1 else tuple(results),
        state=state,
        stream=torch.cuda.current_stream().cuda_stream,
    )
    return call, lambda: [*results, *kept]
