"""Drawings as one HTML file that needs nothing else.

The page shows text of the model as text only, and runs the script of this package only: its
policy names the digest of that.
"""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from string import Template
from typing import Any

from lxc.drawing.diagram import Box, Drawing, walk
from lxc.drawing.layout import Layout, layout_of, opened_first
from lxc.drawing.places import GAP, MARGIN, ROW_GAP
from lxc.drawing.svg import COLOURS, STRAIGHT, Pen, safe, shipped
from lxc.errors import printable

SHOWN = 40
"""About how many boxes of a view are there at first."""


def page_of(drawing: Drawing, first: int = 0) -> str:
    """Return a drawing as the text of an HTML file that shows view `first` first."""
    layouts = [layout_of(view.diagram, f"v{at}") for at, view in enumerate(drawing.views)]
    opened = frozenset[str]().union(*(opened_first(one, SHOWN) for one in layouts))
    script = shipped("page.js")
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    return Template(shipped("page.html")).substitute(
        digest=digest,
        title=safe(drawing.title),
        colours=shipped(COLOURS),
        style=shipped("page.css"),
        tabs=tabs(drawing),
        drawings=sheets(layouts, opened),
        data=data_text(drawing, layouts, opened, first),
        script=script,
    )


def tabs(drawing: Drawing) -> str:
    """Return the buttons that choose a view."""
    return "".join(
        f'<button id="t{at}" role="tab">{safe(view.name)}</button>'
        for at, view in enumerate(drawing.views)
    )


def sheets(layouts: list[Layout], opened: frozenset[str]) -> str:
    """Return the views as SVG, one above the other."""
    pen = Pen(opened.__contains__, hidden=True)
    return "".join(
        f'<svg class="sheet" id="s{at}" hidden><g id="v{at}">'
        f"{''.join(pen.diagram(layout))}</g></svg>"
        for at, layout in enumerate(layouts)
    )


def data_text(
    drawing: Drawing, layouts: list[Layout], opened: frozenset[str], first: int
) -> str:
    """Return what the script reads, as JSON that cannot end the element it is in."""
    every = [inner for layout in layouts for inner in all_layouts(layout)]
    data = {
        "spaces": {"gap": GAP, "rowGap": ROW_GAP, "margin": MARGIN, "straight": STRAIGHT},
        "open": sorted(opened),
        "first": first,
        "views": [
            {
                "note": printable(view.note),
                "heat": any(box.heat is not None for box in walk(view.diagram)),
            }
            for view in drawing.views
        ],
        "layouts": {one.ident: layout_data(one) for one in every},
        "boxes": {
            one.box_ident(number): box_data(box)
            for one in every
            for number, box in enumerate(one.diagram.boxes)
        },
    }
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def all_layouts(layout: Layout) -> Iterator[Layout]:
    """Yield a layout and all inside of it."""
    yield layout
    for body in layout.bodies.values():
        yield from all_layouts(body)


def layout_data(layout: Layout) -> dict[str, Any]:
    """Return what places the items of a layout anew."""
    return {
        "boxes": layout.rows.boxes,
        "bodies": list(layout.bodies),
        "rows": layout.rows.rows,
        "chains": layout.rows.chains,
        "ports": [[round(one, 3) for one in ends] for ends in layout.ports],
        "texts": [round(one, 1) for one in layout.texts],
        "wanted": [round(one, 1) for one in layout.wanted],
        "widths": [round(size.width, 1) for size in layout.closed],
        "heights": [round(size.height, 1) for size in layout.closed],
    }


def box_data(box: Box) -> dict[str, Any]:
    """Return what is shown of a box that was chosen, and searched."""
    facts = [[printable(name), printable(text)] for name, text in box.facts]
    return {"title": printable(box.title), "facts": facts}
