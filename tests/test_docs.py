"""The documentation is what the code does today."""

import runpy
from pathlib import Path

from lxc.commands.why import explanations
from lxc.errors import CODES

ROOT = Path(__file__).parent.parent


def test_the_worked_example_is_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"), run_name="generate")[
        "pages"
    ]()
    for name, text in pages.items():
        written = (ROOT / "docs" / "worked-example" / name).read_text()
        assert written == text, f"{name} is stale: run python docs/generate.py"


def test_the_reference_is_current() -> None:
    script = ROOT / "docs" / "generate_reference.py"
    made = runpy.run_path(str(script), run_name="generate")["pages"]()
    for name, text in made.items():
        written = (ROOT / "docs" / name).read_text()
        assert written == text, f"{name} is stale: run python docs/generate_reference.py"


def test_every_error_has_a_current_page_with_a_test() -> None:
    script = ROOT / "docs" / "generate_errors.py"
    made = runpy.run_path(str(script), run_name="generate")["pages"]()
    written = {path.name: path.read_text() for path in (ROOT / "docs/errors").iterdir()}
    assert set(written) == set(made)
    stale = [name for name, text in made.items() if written[name] != text]
    assert not stale, "run python docs/generate_errors.py"
    untested = [n for n, text in made.items() if n != "index.md" and "* `tests" not in text]
    assert untested == []


def test_every_error_is_explained_in_two_parts() -> None:
    assert list(explanations()) == list(CODES)
    for said in explanations().values():
        assert set(said) == {"means", "fix"}
        assert all(said.values())
