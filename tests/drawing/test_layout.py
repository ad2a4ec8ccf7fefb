"""Rows keep their order, boxes their distance, and edges cross as little as can be."""

from itertools import pairwise

import pytest

from lxc.drawing.diagram import Box, Diagram, Edge
from lxc.drawing.layout import Layout, layout_of, opened_first
from lxc.drawing.places import GAP
from lxc.drawing.ranks import ranks_of
from lxc.drawing.rows import crossings, inversions, rows_of


def diagram(count: int, *links: tuple[int, int], body: Diagram | None = None) -> Diagram:
    """Return boxes with edges between them, the first one an input."""
    kinds = ["input", *["layer"] * (count - 1)]
    boxes = (Box(f"box {at}", kind, body=body) for at, kind in enumerate(kinds))
    return Diagram(tuple(boxes), tuple(Edge(a, b, 0, 0, "f32[3]") for a, b in links))


def test_a_box_stands_below_all_that_it_reads() -> None:
    links = [(0, 1), (1, 2), (0, 3), (2, 3)]
    assert ranks_of(4, links, {0}) == [0, 1, 2, 3]


def test_what_depends_on_no_input_stands_near_its_reader() -> None:
    links = [(0, 1), (1, 2), (2, 5), (3, 4), (4, 5)]
    assert ranks_of(6, links, {0}) == [0, 1, 2, 1, 2, 3]


def test_edges_that_could_cross_do_not() -> None:
    links = [(0, 5), (1, 4), (2, 3), (0, 4)]
    rows = rows_of(6, links, {0, 1, 2})
    assert crossings(rows.rows, rows.neighbours()[1]) == 0


@pytest.mark.parametrize(
    ("ends", "found"), [([], 0), ([0, 1, 2], 0), ([2, 1, 0], 3), ([1, 1, 0], 2)]
)
def test_pairs_in_falling_order_are_counted(ends: list[int], found: int) -> None:
    assert inversions(ends, 3) == found


def test_a_long_edge_goes_around_the_boxes_that_it_passes() -> None:
    layout = layout_of(diagram(4, (0, 1), (1, 2), (2, 3), (0, 3)), "v")
    places = layout.places(lambda _: False)
    chain = layout.rows.chains[3]
    assert len(chain) == 4
    for item, box in zip(chain[1:-1], (1, 2), strict=True):
        half = layout.closed[box].width / 2
        assert abs(places.x[item] - places.x[box]) > half


def touching(layout: Layout, opened: frozenset[str]) -> list[str]:
    """Return which neighbours in rows are nearer than they may be."""
    sizes, places = layout.sizes(opened.__contains__), layout.places(opened.__contains__)
    return [
        f"{left} {right}"
        for row in layout.rows.rows
        for left, right in pairwise(row)
        if places.x[right] - places.x[left]
        < (sizes[left].width + sizes[right].width) / 2 + GAP - 1e-6
    ]


def test_boxes_do_not_touch_whichever_are_open() -> None:
    inside = diagram(5, (0, 1), (0, 2), (0, 3), (0, 4))
    layout = layout_of(diagram(4, (0, 1), (0, 2), (0, 3), body=inside), "v")
    for opened in (frozenset[str](), frozenset({"v-1"}), frozenset({"v-1", "v-2", "v-3"})):
        assert touching(layout, opened) == []
    wide = layout.places(lambda _: True).size
    narrow = layout.places(lambda _: False).size
    assert wide.width > narrow.width
    assert wide.height > narrow.height


def test_only_as_many_layers_are_open_at_first_as_can_be_looked_at() -> None:
    inside = diagram(5, (0, 1))
    layout = layout_of(diagram(2, (0, 1), body=inside), "v")
    assert opened_first(layout, 6) == frozenset()
    assert opened_first(layout, 7) == {"v-0"}
    assert opened_first(layout, 12) == {"v-0", "v-1"}
    ops = layout_of(diagram(2, body=Diagram((Box("add", "math"),))), "v")
    assert opened_first(ops, 100) == frozenset()


def test_nothing_has_a_layout_too() -> None:
    layout = layout_of(Diagram(), "v")
    assert layout.places(lambda _: True).rows == ()
