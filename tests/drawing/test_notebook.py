"""Pictures in notebooks, and what they are made of."""

import html
from pathlib import Path

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.drawing.page import page_of
from lxc.errors import LxcError
from tests.drawing.test_files import Tags, data_of

NET = nn.Chain(nn.Dense(3, 4, nn.relu), nn.Dense(4, 2))
X = lxc.TensorSpec((2, 3), np.float32)


def test_a_graph_and_a_compiled_model_have_the_same_pictures(tmp_path: Path) -> None:
    trees = lxc.setup(0, NET)
    graph = lxc.trace(NET, X, *trees, name="model")
    drawn = lxc.draw(graph, "x86-64-v2")
    compiled = lxc.compile(NET, X, *trees, target="x86-64-v2")
    assert lxc.draw(compiled).drawing == drawn.drawing
    drawn.save(tmp_path / "model.html")
    assert (tmp_path / "model.html").read_text("utf-8") == page_of(drawn.drawing)
    with pytest.raises(LxcError, match="LXC-E0410"):
        lxc.draw(compiled, "x86-64-v4")
    with pytest.raises(LxcError, match="LXC-E0002"):
        drawn.save(tmp_path / "none" / "model.html")


def test_a_notebook_shows_the_page_in_a_frame_that_reaches_nothing() -> None:
    picture = lxc.draw(lxc.trace(NET, X, *lxc.setup(0, NET)), "x86-64-v2")
    ((tag, attributes),) = Tags(picture._repr_html_()).found
    assert (tag, attributes["sandbox"]) == ("iframe", "allow-scripts")
    assert attributes["srcdoc"] == page_of(picture.drawing)
    assert len(data_of(html.unescape(str(attributes["srcdoc"])))["views"]) == 4
