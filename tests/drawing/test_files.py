"""Pages, SVG and DOT show the whole graph, and text of a model is only ever text."""

import base64
import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from lxc.drawing.diagram import Box, Diagram, Drawing, Edge, View, walk
from lxc.drawing.dot import dot_of
from lxc.drawing.heat import Heat, Kernel, heat_from, with_heat, with_layer_heat
from lxc.drawing.page import page_of
from lxc.drawing.reading import diagram_of
from lxc.drawing.svg import svg_of
from lxc.errors import LxcError
from lxc.ir.parser import parse_graph

EVIL = '</script><script>alert(1)</script><img src=x onerror="a()">]]>\x1b[2J\u202e'
TEXT = """
graph @m lux {
  input %x: f32[2, 3]
  param @w: f32[3]
  tree params = {w: *}
  %0: f32[2, 3] = layer(%x, @w) {kind = "Scale"} (%1: f32[2, 3], %2: f32[3]) {
    %3: f32[2, 3] = broadcast(%2) {shape = [2, 3], axes = [1]} at first
    %4: f32[2, 3] = multiply(%1, %3) at first
    yield %4
  } at first
  %5: f32[] = constant() {dtype = f32, shape = [], value = [0x1p+1]}
  %6: f32[2, 3] = broadcast(%5) {shape = [2, 3], axes = []}
  %7: f32[2, 3] = add(%0, %6) at second
  return %7
}
"""


class Tags(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        """Read them."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one."""
        self.found.append((tag, dict(attrs)))


def model() -> Diagram:
    """Return the diagram of the text above."""
    return diagram_of(parse_graph(TEXT))


def evil() -> View:
    """Return a view in which every text is one that would do harm as HTML."""
    body = Diagram((Box(EVIL, "input", place=0),))
    box = Box(EVIL, "layer", (EVIL,), ((EVIL, EVIL),), (EVIL,), body, EVIL, 0.5)
    edges = (Edge(0, 1, 0, 0, EVIL),)
    return View(EVIL, EVIL, Diagram((box, Box(EVIL, "output")), edges))


def data_of(page: str) -> Any:
    """Return what the script of a page reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_parameters_and_constants_are_lines_of_the_boxes_that_read_them() -> None:
    x, scale, add, y = model().boxes
    assert (x.title, scale.title, add.title, y.title) == ("x", "Scale", "add", "y")
    assert ("reads", "@w f32[3]") in scale.facts
    assert add.lines == ("= 2",)
    assert scale.body is not None
    assert [box.title for box in scale.body.boxes] == [
        *("input", "broadcast", "multiply", "output")
    ]
    assert scale.body.boxes[1].lines == ("@w f32[3]",)
    assert [edge.text for edge in model().edges] == ["f32[2, 3]"] * 3


def test_svg_is_well_formed_and_has_what_is_open() -> None:
    closed = svg_of(View("traced", "", model()), lambda _: False)
    opened = svg_of(View("traced", "", model()), lambda _: True)
    ids = [one.get("id") for one in ElementTree.fromstring(closed).iter() if one.get("id")]
    assert ids == ["v-0", "v-1", "v-2", "v-3"]
    ids = [one.get("id") for one in ElementTree.fromstring(opened).iter() if one.get("id")]
    assert set(ids) == {f"v-{n}" for n in range(4)} | {f"v-1-{n}" for n in range(4)}


def test_a_page_loads_nothing_and_runs_its_own_script_only() -> None:
    page = page_of(Drawing("m", (View("traced", "", model()),)))
    tags = Tags(page).found
    assert not [tag for tag, attributes in tags if {"src", "href"} & set(attributes)]
    (policy,) = [a["content"] for tag, a in tags if "http-equiv" in a]
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    nothing_else = "default-src 'none'; style-src 'unsafe-inline'"
    assert policy == f"{nothing_else}; script-src 'sha256-{digest}'"


def test_a_page_has_every_box_of_every_view() -> None:
    page = page_of(Drawing("m", (View("a", "", model()), View("b", "", model()))), 1)
    data = data_of(page)
    ids = {attributes.get("id") for tag, attributes in Tags(page).found if tag == "g"}
    every = sum(1 for _ in walk(model()))
    assert len(data["boxes"]) == 2 * every
    assert set(data["boxes"]) <= ids
    assert (data["first"], data["open"]) == (1, [])


def test_text_of_a_model_is_never_markup() -> None:
    harmless = page_of(Drawing("m", (View("v", "n", Diagram()),)))
    page = page_of(Drawing(EVIL, (evil(),)))
    kinds = ("script", "img", "iframe", "style", "link", "meta")

    def counted(text: str) -> list[int]:
        return [sum(tag == kind for tag, _ in Tags(text).found) for kind in kinds]

    assert counted(page) == counted(harmless)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert not [a for _, a in Tags(page).found if any(name[:2] == "on" for name in a)]
    shown = data_of(page)["boxes"]["v0-0"]["title"]
    assert shown.startswith("</script><script>alert(1)")
    tree = ElementTree.fromstring(svg_of(evil(), lambda _: True))
    assert not [one for one in tree.iter() if one.tag.endswith(("script", "img"))]


def test_dot_has_every_box_once_and_strings_end_where_they_should() -> None:
    text = dot_of(View("traced", "", model()), lambda _: True)
    assert 'subgraph "cluster v-1" {' in text
    assert '"v-0" -> "v-1-0"' in text
    assert '"v-1-3" -> "v-2"' in text
    closed = dot_of(View("traced", "", model()), lambda _: False)
    assert '"v-1" [label="Scale\\nfirst"];' in closed
    harmed = dot_of(View('a"b\\', "", Diagram((Box('c"\\', "math"),))), lambda _: True)
    assert harmed.splitlines()[0] == 'digraph "a\\"b\\\\" {'
    assert '"v-0" [label="c\\"\\\\"];' in harmed


def kernel(ops: str, *layers: str, share: float) -> Kernel:
    """Return a kernel whose result is that of all boxes here."""
    return Kernel((ops, layers, "f32[2, 3]"), share)


def test_times_go_to_the_boxes_of_kernels_in_their_order() -> None:
    loop = Diagram((Box("add", "fused", layers=("a",), result="f32[2, 3]"),))
    boxes = (*loop.boxes, Box("scan", "loop", body=loop), *loop.boxes)
    shares = [kernel("add", "a", share=part) for part in (0.5, 0.3, 0.2)]
    warm = with_heat(Diagram(boxes), shares).boxes
    assert [box.heat for box in warm] == [0.5, 0.3, 0.2]
    with pytest.raises(LxcError, match="another model"):
        with_heat(Diagram(boxes), [*shares, *shares])


def test_a_layer_has_the_time_of_the_kernels_that_are_its_own() -> None:
    shares = [
        kernel("add", "first", share=0.5),
        kernel("add", "first.inner", share=0.25),
        kernel("add", "first", "second", share=0.125),
        kernel("add", "first_2", share=0.125),
    ]
    warm = with_layer_heat(model(), shares).boxes
    assert [box.heat for box in warm] == [None, 0.75, None, None]
    assert 'class="heat"' in svg_of(View("", "", Diagram(warm)), lambda _: False)


ROW = {"number": 0, "ops": "add", "layers": [], "result": "f32[]", "share": 1.0}


def test_a_profile_is_read_in_the_order_of_its_kernels() -> None:
    said = {
        "target": "x86-64-v3",
        "kernels": [{**ROW, "number": 1, "ops": "b"}, ROW, {**ROW, "number": None}],
        "prepare": [],
    }
    heat = heat_from(said, "p.json")
    assert isinstance(heat, Heat)
    assert [one.key[0] for one in heat.run] == ["add", "b"]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {**ROW, "share": 2.0},
        {**ROW, "share": "nan"},
        {**ROW, "layers": "a"},
        {**ROW, "ops": 3},
        {**ROW, "number": "x"},
        7,
    ],
)
def test_what_is_no_profile_is_refused(row: Any) -> None:
    said = {"target": "x86-64-v3", "kernels": [row], "prepare": []}
    with pytest.raises(LxcError, match="does not hold a profile"):
        heat_from(said, "p.json")
