"""The lists on the page about importing ONNX are complete."""

import re
from pathlib import Path

from lxc.frontend.onnx.elementwise import ELEMENTWISE
from lxc.frontend.onnx.registry import OPERATORS

PAGE = (Path(__file__).parents[2] / "docs" / "import-onnx.md").read_text("utf-8")


def test_the_page_names_every_operator_that_is_no_elementwise_function() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert set(OPERATORS) - set(ELEMENTWISE) - words == set()
