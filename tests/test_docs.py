"""The documentation is what the code does today."""

import doctest
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_worked_example_is_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"), run_name="generate")[
        "pages"
    ]()
    for name, text in pages.items():
        written = (ROOT / "docs" / "worked-example" / name).read_text()
        assert written == text, f"{name} is stale: run python docs/generate.py"


@pytest.mark.parametrize("page", ["models.md", "state.md"])
def test_the_examples_of_a_page_print_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / page).read_text("utf-8")
    lines = ("" if line.startswith("```") else line for line in text.splitlines())
    examples = doctest.DocTestParser().get_doctest("\n".join(lines), {}, page, page, 0)
    printed: list[str] = []
    doctest.DocTestRunner().run(examples, out=printed.append)
    assert examples.examples
    assert "".join(printed) == ""
