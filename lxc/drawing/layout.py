"""Where everything of a diagram is drawn, with what is inside of its open boxes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from lxc.drawing.diagram import Box, Diagram
from lxc.drawing.places import LINE_WIDTH, Places, Size, placed, wanted_places
from lxc.drawing.rows import Rows, rows_of

IsOpen = Callable[[str], bool]
"""Whether a box is open, by its id."""

NARROWEST, WIDEST = 112.0, 340.0
TITLE_HEIGHT, LINE_HEIGHT = 30.0, 15.0
TITLE_CHARACTER, LINE_CHARACTER = 8.4, 6.8
TEXT_GAP, TEXT_CHARACTER = 6.0, 6.4
SIDES = 30.0
TOGGLE = 30.0
HEAT = 66.0
PORTS = 0.5
"""How much of a box's width the ends of its edges take."""


@dataclass(frozen=True)
class Layout:
    """A diagram in rows. `ident` is its id; its boxes have that with their numbers."""

    ident: str
    diagram: Diagram
    rows: Rows
    closed: tuple[Size, ...]
    wanted: tuple[float, ...]
    ports: tuple[tuple[float, float], ...]

    @cached_property
    def bodies(self) -> "dict[int, Layout]":
        """The layouts of what is inside of boxes, by their numbers."""
        return {
            number: layout_of(box.body, self.box_ident(number))
            for number, box in enumerate(self.diagram.boxes)
            if box.body is not None
        }

    @cached_property
    def texts(self) -> list[float]:
        """How far the texts of edges reach to the right of each item's middle."""
        found = [0.0] * self.rows.items
        for edge in self.diagram.edges:
            width = TEXT_GAP + len(clipped(edge.text)) * TEXT_CHARACTER
            found[edge.source] = max(found[edge.source], width)
        return found

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each item."""
        return {item: at for at, row in enumerate(self.rows.rows) for item in row}

    def box_ident(self, number: int) -> str:
        """Return the id of a box."""
        return f"{self.ident}-{number}"

    def sizes(self, is_open: IsOpen) -> list[Size]:
        """Return the size of every item while some boxes are open."""
        found = list(self.closed)
        for number, body in self.bodies.items():
            if is_open(self.box_ident(number)):
                head, inner = self.closed[number], body.places(is_open).size
                width = max(head.width, inner.width)
                found[number] = Size(width, head.height + inner.height)
        return found

    def places(self, is_open: IsOpen) -> Places:
        """Return where every item is while some boxes are open."""
        return placed(self.rows, self.wanted, self.sizes(is_open), self.texts)


def layout_of(diagram: Diagram, ident: str) -> Layout:
    """Return the layout of a diagram."""
    links = [(edge.source, edge.target) for edge in diagram.edges]
    inputs = {at for at, box in enumerate(diagram.boxes) if box.kind == "input"}
    rows = rows_of(len(diagram.boxes), links, inputs)
    passing = rows.items - rows.boxes
    closed = (*map(closed_size, diagram.boxes), *[Size(LINE_WIDTH, 0.0)] * passing)
    wanted = wanted_places(rows, [size.width for size in closed])
    return Layout(ident, diagram, rows, closed, tuple(wanted), ports(diagram, rows, wanted))


def closed_size(box: Box) -> Size:
    """Return the size of a box that shows its title and its lines."""
    width = len(clipped_title(box)) * TITLE_CHARACTER + taken(box)
    lines = max((len(clipped(line)) for line in box.lines), default=0) * LINE_CHARACTER
    width = min(max(width + SIDES, lines + SIDES, NARROWEST), WIDEST)
    below = LINE_HEIGHT * len(box.lines) + (4.0 if box.lines else 0.0)
    return Size(width, TITLE_HEIGHT + below)


def taken(box: Box) -> float:
    """Return the width of what stands beside a title."""
    return (TOGGLE if box.body else 0.0) + (HEAT if box.heat is not None else 0.0)


def clipped_title(box: Box) -> str:
    """Return a title as long as its box has place for."""
    return shortened(box.title, int((WIDEST - SIDES - taken(box)) / TITLE_CHARACTER))


def clipped(text: str) -> str:
    """Return a text as long as a box is wide."""
    return shortened(text, int((WIDEST - SIDES) / LINE_CHARACTER))


def shortened(text: str, most: int) -> str:
    """Return a text with no more than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def ports(diagram: Diagram, rows: Rows, x: list[float]) -> tuple[tuple[float, float], ...]:
    """Return where edges leave and reach boxes, as parts of their widths off the middle."""
    results: dict[int, set[int]] = {}
    reached: dict[int, list[int]] = {}
    for number, edge in enumerate(diagram.edges):
        results.setdefault(edge.source, set()).add(edge.result)
        reached.setdefault(edge.target, []).append(number)
    ends: dict[int, float] = {}
    for numbers in reached.values():
        numbers.sort(key=lambda number: x[rows.chains[number][-2]])
        ends |= {one: share(at, len(numbers)) for at, one in enumerate(numbers)}
    order = {one: sorted(found) for one, found in results.items()}
    leaves = (
        share(order[edge.source].index(edge.result), len(order[edge.source]))
        for edge in diagram.edges
    )
    return tuple((one, ends[number]) for number, one in enumerate(leaves))


def share(at: int, count: int) -> float:
    """Return the place of one of several ends."""
    return ((at + 0.5) / count - 0.5) * PORTS if count > 1 else 0.0


def opened_first(layout: Layout, most: int) -> frozenset[str]:
    """Return the ids of layers that are open at first, so that at most `most` boxes show.

    Those are layers of layers, the outer ones first.
    """
    found: set[str] = set()
    shown, waiting = len(layout.diagram.boxes), [layout]
    while waiting:
        one = waiting.pop(0)
        for number, body in one.bodies.items():
            more = len(body.diagram.boxes)
            layers = any(box.kind == "layer" for box in body.diagram.boxes)
            if layers and shown + more <= most:
                shown += more
                found.add(one.box_ident(number))
                waiting.append(body)
    return frozenset(found)
