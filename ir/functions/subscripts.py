"""The subscripts of einsum: which label every axis of operands and result has."""

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

from lxc.errors import LxcError
from lxc.ir.tensor import shape_of

Label = str
Labels = tuple[Label, ...]
DOTS = "..."


def subscripts_of(operands: Sequence[Any]) -> tuple[list[Any], list[Labels], Labels]:
    """Return the operands, the labels of their axes and those of the result."""
    if operands and isinstance(operands[0], str):
        given = list(operands[1:])
        inputs, output = from_text(operands[0])
    else:
        given, inputs, output = from_lists(operands)
    if len(inputs) != len(given) or not given:
        raise LxcError(
            "LXC-E0103",
            "einsum needs one operand for each list of labels",
            expected=f"{len(inputs)} operands",
            actual=f"{len(given)} operands",
        )
    ranks = [len(shape_of(x)) for x in given]
    pairs = list(zip(inputs, ranks, strict=True))
    hidden = max(
        (rank - len(labels) + 1 for labels, rank in pairs if DOTS in labels), default=0
    )
    inputs = [spelled(labels, rank, hidden) for labels, rank in pairs]
    if output is None:
        return given, inputs, implied(inputs)
    if hidden and DOTS not in output:
        raise LxcError("LXC-E0103", "the result of einsum lacks the ellipsis of an operand")
    return given, inputs, checked(expanded(output, hidden, hidden))


def from_text(text: str) -> tuple[list[Labels], Labels | None]:
    """Return the labels of operands and result in a string; None if it has no arrow."""
    left, arrow, right = text.replace(" ", "").partition("->")
    output = labels_of(right, text) if arrow else None
    return [labels_of(part, text) for part in left.split(",")], output


def labels_of(part: str, text: str) -> Labels:
    """Return the labels of one operand: letters, and at most one ellipsis."""
    before, dots, after = part.partition(DOTS)
    letters = before + after
    if not all(letter.isascii() and letter.isalpha() for letter in letters):
        raise LxcError(
            "LXC-E0103", "labels of einsum are letters and one ellipsis", actual=repr(text)
        )
    return (*before, *([DOTS] if dots else []), *after)


def from_lists(
    operands: Sequence[Any],
) -> tuple[list[Any], list[Labels], Labels | None]:
    """Return operands and labels that stand one after the other."""
    pairs = len(operands) // 2
    given, lists = list(operands[0 : 2 * pairs : 2]), list(operands[1 : 2 * pairs : 2])
    output = names_of(operands[-1]) if len(operands) % 2 else None
    return given, [names_of(entries) for entries in lists], output


def names_of(entries: Any) -> Labels:
    """Return labels for numbers, in an order that sorts as the numbers do."""
    if not isinstance(entries, list | tuple):
        raise LxcError("LXC-E0103", "einsum needs a list of labels after each operand")
    return tuple(
        DOTS if isinstance(entry, EllipsisType) else f"{int(entry):08d}"
        for entry in entries
    )


def spelled(labels: Labels, rank: int, hidden: int) -> Labels:
    """Return one label for every axis of an operand, or raise if they do not fit."""
    rest = rank - len(labels) + (DOTS in labels)
    if labels.count(DOTS) > 1 or rest < 0 or (rest and DOTS not in labels):
        raise LxcError(
            "LXC-E0103",
            "an operand of einsum has another rank than its labels",
            expected=f"rank {len(labels)}",
            actual=f"rank {rank}",
        )
    return expanded(labels, rest, hidden)


def expanded(labels: Labels, count: int, hidden: int) -> Labels:
    """Return labels with `count` of the `hidden` axes that an ellipsis stands for.

    Hidden axes are counted from the last one, which is how they broadcast.
    """
    names = [f".{number:08d}" for number in range(hidden - count, hidden)]
    if DOTS not in labels:
        return labels
    place = labels.index(DOTS)
    return (*labels[:place], *names, *labels[place + 1 :])


def implied(inputs: Sequence[Labels]) -> Labels:
    """Return the result's labels: hidden axes, then labels that come once, sorted."""
    every = [label for labels in inputs for label in labels]
    hidden = sorted({label for label in every if label.startswith(".")})
    single = [label for label in every if every.count(label) == 1]
    return (*hidden, *sorted(label for label in single if label not in hidden))


def checked(output: Labels) -> Labels:
    """Return the result's labels, or raise if one comes twice."""
    if len(set(output)) < len(output):
        raise LxcError("LXC-E0103", "the output has a label twice", actual="".join(output))
    return output
