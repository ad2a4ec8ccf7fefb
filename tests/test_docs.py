"""The generated pages of the documentation are what the code makes today."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_worked_example_is_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"), run_name="generate")[
        "pages"
    ]()
    for name, text in pages.items():
        written = (ROOT / "docs" / "worked-example" / name).read_text()
        assert written == text, f"{name} is stale: run python docs/generate.py"
