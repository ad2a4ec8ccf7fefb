"""Drawings as SVG: text from a model is escaped, and nothing is loaded from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib import resources
from math import sqrt

from lxc.drawing.diagram import Box, View
from lxc.drawing.layout import IsOpen, Layout, clipped, clipped_title, layout_of
from lxc.drawing.places import Places, Size
from lxc.errors import printable

COLOURS = "colours.css"
TITLE_MARK = 13
STRAIGHT = 18.0


def shipped(name: str) -> str:
    """Return a file of this package."""
    return resources.files("lxc.drawing").joinpath(name).read_text("utf-8")


def safe(text: str) -> str:
    """Return text that means itself in SVG and in HTML."""
    return escape(printable(text))


@dataclass(frozen=True)
class Pen:
    """How boxes are drawn: those that `is_open`, and `hidden` bodies of others too."""

    is_open: IsOpen
    hidden: bool

    def diagram(self, layout: Layout) -> Iterator[str]:
        """Yield the edges of a diagram, then its boxes."""
        spots = spots_of(layout, self.is_open)
        labelled: set[tuple[int, int]] = set()
        for number in range(len(layout.diagram.edges)):
            path = curve(spots.points(layout, number))
            yield f'<path class="edge" data-edge="{number}" d="{path}"/>'
        for number, edge in enumerate(layout.diagram.edges):
            if (edge.source, edge.result) not in labelled:
                labelled.add((edge.source, edge.result))
                x, y = spots.points(layout, number)[1]
                yield (
                    f'<text class="type" data-edge="{number}" x="{x + 6:.1f}" '
                    f'y="{y + 15:.1f}">{safe(clipped(edge.text))}</text>'
                )
        for number, box in enumerate(layout.diagram.boxes):
            left = spots.places.x[number] - spots.sizes[number].width / 2
            at = (left, spots.tops[number])
            yield from self.box(layout, number, box, spots.sizes[number], at)

    def box(
        self, layout: Layout, number: int, box: Box, size: Size, at: tuple[float, float]
    ) -> Iterator[str]:
        """Yield one box, with what is inside of it."""
        ident, body = layout.box_ident(number), layout.bodies.get(number)
        is_open = body is not None and self.is_open(ident)
        yield (
            f'<g class="box {box.kind}{" open" if is_open else ""}" id="{ident}" '
            f'transform="translate({at[0]:.1f} {at[1]:.1f})">'
            f"<title>{safe(box.title)}</title>"
        )
        rounded = 15 if box.kind in ("input", "output") else 7
        shape = f'width="{size.width:.1f}" height="{size.height:.1f}" rx="{rounded}"'
        yield f'<rect class="card" {shape}/>'
        if box.heat is not None:
            opacity = f"{heat_opacity(box.heat):.3f}"
            yield f'<rect class="heat" {shape} fill-opacity="{opacity}"/>'
        yield f'<rect class="mark" x="8" y="9" width="4" height="{TITLE_MARK}" rx="2"/>'
        yield from texts(box, size, has_body=body is not None, is_open=is_open)
        if body is not None and (self.hidden or is_open):
            inner = body.places(self.is_open).size
            left = (size.width - inner.width) / 2 if is_open else 0.0
            head = layout.closed[number].height
            yield f'<g class="inside" transform="translate({left:.1f} {head:.1f})">'
            yield from self.diagram(body)
            yield "</g>"
        yield "</g>"


def texts(box: Box, size: Size, *, has_body: bool, is_open: bool) -> Iterator[str]:
    """Yield title, lines, the part of the time, and what opens a box."""
    yield f'<text class="title" x="19" y="20">{safe(clipped_title(box))}</text>'
    for at, line in enumerate(box.lines):
        yield f'<text class="line" x="19" y="{37 + 15 * at}">{safe(clipped(line))}</text>'
    right = size.width - 11
    if has_body:
        sign = "&#8722;" if is_open else "+"
        yield f'<text class="toggle" x="{right:.1f}" y="21">{sign}</text>'
        right -= 20
    if box.heat is not None:
        yield f'<text class="share" x="{right:.1f}" y="20">{box.heat:.1%}</text>'


def heat_opacity(heat: float) -> float:
    """Return how much of the colour of heat a box has: small parts can be seen too."""
    return 0.62 * sqrt(min(max(heat, 0.0), 1.0))


@dataclass(frozen=True)
class Spots:
    """Where the items of a layout are, how large, and the upper end of each box."""

    places: Places
    sizes: list[Size]
    tops: list[float]

    def points(self, layout: Layout, number: int) -> list[tuple[float, float]]:
        """Return the points of an edge: its ends, and where it enters and leaves rows."""
        first, *passed, last = layout.rows.chains[number]
        leaves, reaches = layout.ports[number]
        x, sizes = self.places.x, self.sizes
        lower_end = self.tops[first] + sizes[first].height
        begin = x[first] + leaves * sizes[first].width
        end = x[last] + reaches * sizes[last].width
        points = [(begin, lower_end), (begin, self.places.rows[layout.row_of[first]][1])]
        for item in passed:
            upper, lower = self.places.rows[layout.row_of[item]]
            points += [(x[item], upper), (x[item], lower)]
        upper_end = self.places.rows[layout.row_of[last]][0]
        return [*points, (end, upper_end), (end, self.tops[last])]


def spots_of(layout: Layout, is_open: IsOpen) -> Spots:
    """Return where everything is; a box stands in the middle of its row."""
    places, sizes = layout.places(is_open), layout.sizes(is_open)
    tops = [0.0] * layout.rows.boxes
    for row, (upper, lower) in zip(layout.rows.rows, places.rows, strict=True):
        for item in row:
            if item < layout.rows.boxes:
                tops[item] = (upper + lower - sizes[item].height) / 2
    return Spots(places, sizes, tops)


def curve(points: list[tuple[float, float]]) -> str:
    """Return a path: straight beside its type and through rows, bent between them."""
    (x, begin), (_, lower), *rest = points
    y = lower + STRAIGHT
    parts = [f"M{x:.1f} {begin:.1f}V{y:.1f}"]
    for bent, (to_x, to_y) in enumerate(rest):
        if bent % 2:
            parts.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            half = (y + to_y) / 2
            parts.append(f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def svg_of(view: View, is_open: IsOpen) -> str:
    """Return a view as the text of an SVG file."""
    layout = layout_of(view.diagram, "v")
    size = layout.places(is_open).size
    width, height = f"{size.width:.0f}", f"{size.height:.0f}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" class="drawing">',
            f"<title>{safe(view.name)}</title>",
            f"<style>{shipped(COLOURS)}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            *Pen(is_open, hidden=False).diagram(layout),
            "</svg>\n",
        )
    )
