"""Where the time of a call goes, from a profile, on the boxes of a drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxc.drawing.diagram import Box, Diagram
from lxc.errors import LxcError

Key = tuple[str, tuple[str, ...], str]
"""What a kernel is found by: its ops, its layers and its result."""


@dataclass(frozen=True)
class Kernel:
    """A kernel of a profile with its part of the time."""

    key: Key
    share: float


@dataclass(frozen=True)
class Heat:
    """The kernels of calls and of preparing, in the order of the program."""

    target: str
    run: tuple[Kernel, ...]
    prepare: tuple[Kernel, ...]


def heat_from(said: Any, origin: str) -> Heat:
    """Return what `lxc profile --json` said; `origin` is the file that it is in."""
    try:
        return Heat(
            text(said["target"]), kernels(said["kernels"]), kernels(said["prepare"])
        )
    except (KeyError, TypeError, ValueError):
        raise LxcError(
            "LXC-E0001",
            f"{origin} does not hold a profile",
            hint="lxc profile model.lxc --json > profile.json",
        ) from None


def kernels(rows: Any) -> tuple[Kernel, ...]:
    """Return the kernels of rows; copies are none."""
    if not isinstance(rows, list):
        raise TypeError
    numbered = [row for row in rows if row["number"] is not None]
    numbered.sort(key=lambda row: int(row["number"]))
    return tuple(
        Kernel((text(row["ops"]), paths(row["layers"]), text(row["result"])), part(row))
        for row in numbered
    )


def text(said: Any) -> str:
    """Return a text as it is."""
    if not isinstance(said, str):
        raise TypeError
    return said


def paths(said: Any) -> tuple[str, ...]:
    """Return the paths of layers."""
    if not isinstance(said, list):
        raise TypeError
    return tuple(map(text, said))


def part(row: Mapping[str, Any]) -> float:
    """Return the part of all time."""
    share = float(row["share"])
    if not 0 <= share <= 1:
        raise ValueError
    return share


def with_heat(diagram: Diagram, measured: Sequence[Kernel]) -> Diagram:
    """Return the diagram of a program with the time of each of its kernels.

    Kernels that look alike are told apart by their order.
    """
    waiting: dict[Key, list[float]] = {}
    for kernel in measured:
        waiting.setdefault(kernel.key, []).append(kernel.share)
    warm = warmed(diagram, waiting)
    if any(waiting.values()):
        key = next(key for key, shares in waiting.items() if shares)
        raise LxcError(
            "LXC-E0001",
            "the profile is that of another model, or of other code of it",
            actual=f"a kernel {key[0]} with the result {key[2]}",
        )
    return warm


def warmed(diagram: Diagram, waiting: dict[Key, list[float]]) -> Diagram:
    """Return a diagram with the times that are waiting for its boxes, the first first."""
    boxes: list[Box] = []
    for box in diagram.boxes:
        if box.kind == "loop" and box.body is not None:
            body = warmed(box.body, waiting)
            boxes.append(replace(box, body=body, heat=total(body)))
            continue
        shares = waiting.get((box.title, box.layers, box.result), [])
        boxes.append(replace(box, heat=shares.pop(0)) if shares else box)
    return replace(diagram, boxes=tuple(boxes))


def total(diagram: Diagram) -> float | None:
    """Return the time of all boxes, None if no box has any."""
    times = [box.heat for box in diagram.boxes if box.heat is not None]
    return min(sum(times), 1.0) if times else None


def with_layer_heat(diagram: Diagram, measured: Sequence[Kernel]) -> Diagram:
    """Return the diagram of a traced graph with the time of each layer.

    A kernel of several layers belongs to what is around all of them.
    """
    boxes: list[Box] = []
    for box in diagram.boxes:
        if box.kind == "layer" and box.body is not None:
            body = with_layer_heat(box.body, measured)
            boxes.append(replace(box, body=body, heat=layer_share(box.layers, measured)))
        else:
            boxes.append(box)
    return replace(diagram, boxes=tuple(boxes))


def layer_share(layers: Sequence[str], measured: Sequence[Kernel]) -> float | None:
    """Return the part of the time of the kernels that belong to a layer alone, if any."""
    own = [kernel.share for kernel in measured if belongs(kernel.key[1], layers)]
    return min(sum(own), 1.0) if own else None


def belongs(paths: Sequence[str], layers: Sequence[str]) -> bool:
    """Return whether all paths are below those of a layer; the whole model has none."""
    if not layers:
        return True
    return bool(paths) and all(
        any(path == layer or path.startswith(f"{layer}.") for layer in layers)
        for path in paths
    )
