"""The arena of a call over time as SVG: steps from left to right, bytes upwards."""

from collections.abc import Iterator

from lxc.drawing.layout import clipped
from lxc.drawing.svg import COLOURS, safe, shipped
from lxc.memory.arena import ArenaUse, Tenant

STEP, HEIGHT = 26.0, 420.0
LEFT, TOP, BOTTOM = 96.0, 44.0, 56.0
NARROWEST = 640.0
CHARACTER = 6.6
"""The width of a character of a label."""

KINDS = ("product", "math", "fused", "layer", "loop")
"""Whose colours the values take in turn."""


def chart_of(use: ArenaUse, title: str) -> str:
    """Return the text of an SVG file with a rectangle for every value in the arena."""
    step = max(STEP, NARROWEST / max(1, len(use.steps)))
    width = LEFT + step * len(use.steps) + 24
    height = TOP + HEIGHT + BOTTOM
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            'class="drawing">',
            f"<title>{safe(title)}</title>",
            f"<style>{shipped(COLOURS)}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            f'<text class="title" x="{LEFT}" y="26">{safe(title)}</text>',
            *axes(use, step),
            *(
                line
                for number, one in enumerate(use.tenants)
                for line in rectangle(one, use.bytes, step, KINDS[number % len(KINDS)])
            ),
            "</svg>\n",
        )
    )


def axes(use: ArenaUse, step: float) -> Iterator[str]:
    """Yield lines of equal bytes, and the number of every fifth step."""
    right = LEFT + step * len(use.steps)
    for part in range(5):
        y = TOP + HEIGHT * (1 - part / 4)
        yield f'<path class="edge" d="M{LEFT} {y:.1f}H{right:.1f}"/>'
        yield (
            f'<text class="share" x="{LEFT - 8}" y="{y + 4:.1f}">'
            f"{use.bytes * part // 4:,}</text>"
        )
    for number in range(0, len(use.steps), 5):
        x, y = LEFT + step * number, TOP + HEIGHT + 18
        yield f'<text class="line" x="{x:.1f}" y="{y:.1f}">{number}</text>'
    y = TOP + HEIGHT + 40
    yield f'<text class="line" x="{LEFT}" y="{y:.1f}">kernels of a call, in order</text>'


def rectangle(one: Tenant, total: int, step: float, kind: str) -> Iterator[str]:
    """Yield the box of a value, named where there is room."""
    x, width = LEFT + step * one.first, step * (one.last - one.first + 1)
    height = max(1.0, HEIGHT * one.bytes / max(1, total))
    y = TOP + HEIGHT * (1 - one.offset / max(1, total)) - height
    places = ", ".join(one.layers)
    said = (
        f"{one.type}, {one.bytes:,} bytes from {one.offset:,} on\n{one.made_by}\n{places}"
    )
    yield f'<g class="box {kind}"><title>{safe(said)}</title>'
    yield (
        f'<rect class="card" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}"/>'
    )
    yield f'<rect class="mark" x="{x:.1f}" y="{y:.1f}" width="3" height="{height:.1f}"/>'
    label = clipped(f"{one.type} {places}")
    if height > 15 and width > CHARACTER * len(label) + 12:
        yield f'<text class="line" x="{x + 8:.1f}" y="{y + 13:.1f}">{safe(label)}</text>'
    yield "</g>"
