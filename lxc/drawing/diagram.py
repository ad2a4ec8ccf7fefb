"""What a drawing shows, before anything has a place: boxes and the values between them."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """A value that goes from one box to another, by their places in the diagram.

    `result` and `operand` are the places of the value among the results of the one and the
    operands of the other; `text` is its type.
    """

    source: int
    target: int
    result: int
    operand: int
    text: str


@dataclass(frozen=True)
class Box:
    """An op, or an end of the diagram.

    `kind` says how it looks: input, output, move, math, product, layer, fused or loop.
    `lines` stand below the title; `facts` are shown on demand. `body` is what is inside,
    `result` the type of the first result, and `heat` the part of the time of a call that is
    spent there. An input or an output has its `place` among all of them.
    """

    title: str
    kind: str
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] = ()
    body: "Diagram | None" = None
    result: str = ""
    heat: float | None = None
    place: int | None = None


@dataclass(frozen=True)
class Diagram:
    """Boxes, those of inputs first and those of outputs last, and edges."""

    boxes: tuple[Box, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class View:
    """A diagram with a name, as one of the pages of a drawing; `note` says what it is."""

    name: str
    note: str
    diagram: Diagram


@dataclass(frozen=True)
class Drawing:
    """All views of a model."""

    title: str
    views: tuple[View, ...]


def walk(diagram: Diagram) -> Iterator[Box]:
    """Yield every box, each before those inside of it."""
    for box in diagram.boxes:
        yield box
        if box.body is not None:
            yield from walk(box.body)
