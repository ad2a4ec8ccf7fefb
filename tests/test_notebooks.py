"""What notebooks show of models, graphs and compiled models."""

from html.parser import HTMLParser
from typing import Any

import lxc
from lxc import html, kaun, nn

NET = nn.Chain(nn.Dense(3, 4, nn.relu), nn.BranchLayer(nn.Dense(4, 2), nn.Dropout(0.5)))
X = lxc.TensorSpec((lxc.Dim("N", 1, 8), 3))


class Reader(HTMLParser):
    """The words of a page, and how often each tag begins; all tags must end in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: dict[str, int] = {}
        self.within: list[str] = []
        self.feed(page)
        assert self.within == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.within.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_container_opens_to_show_its_layers() -> None:
    page = Reader(NET._repr_html_())
    assert page.words == [
        "Chain()",
        "layer_1 = Dense(3, 4, relu)",
        "layer_2 = BranchLayer()",
        "layer_1 = Dense(4, 2)",
        "layer_2 = Dropout(0.5)",
    ]
    assert page.tags["details"] == 2


def test_names_in_a_model_are_text() -> None:
    class A(nn.Layer):
        def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
            return x, st

    A.__name__ = "<script>"
    page = Reader(nn.Chain(A(), A())._repr_html_())
    assert "script" not in page.tags
    assert "layer_1 = <script>()" in page.words


def test_a_layer_of_the_kaun_family_shows_its_text() -> None:
    layer = kaun.sequential([kaun.linear(3, 4), kaun.relu()])
    assert Reader(layer._repr_html_()).words == [repr(layer)]


def test_a_graph_shows_its_text_below_a_line() -> None:
    graph = lxc.trace(NET, X, *lxc.setup(0, NET))
    title, *rest = Reader(graph._repr_html_()).words
    assert title.startswith("graph @model: ")
    assert "".join(rest) == str(graph)


def test_a_compiled_model_shows_its_signature_and_its_code() -> None:
    model = lxc.compile(NET, X, *lxc.setup(0, NET), target="x86-64-v2", mode="test")
    page = Reader(model._repr_html_())
    rows = len([one for g in model.signature.groups.values() for one in g.leaves])
    assert page.tags["tr"] == 1 + rows + 1 + 1
    assert {"layer_1.weight", "[N, 3]", "x86-64-v2"} <= {*page.words}
    assert "N = 1 to 8" in page.words[0]


def test_what_is_too_long_for_a_notebook_says_how_much_is_left() -> None:
    page = Reader(html.table("rows", ("n",), [(n,) for n in range(html.MOST_ROWS + 3)]))
    assert page.tags["tr"] == 1 + html.MOST_ROWS
    assert page.words[-1] == "and 3 more rows"
    page = Reader(html.text("<" * (html.LONGEST + 1000)))
    assert "".join(page.words[:-1]) == "<" * html.LONGEST
    assert page.words[-1] == "and 1,000 more characters"
