"""The site builds without a warning, and needs nothing from other servers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LOADED = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//[^\"]+\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = ("-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(folder))
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_site_and_in_its_menu(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix("") for page in DOCS.rglob("*.md")}
    shown = {page for page in pages if page.parts[0] != "worked-example"}
    menu = (site / "index.html").read_text("utf-8")
    missing = [page for page in shown if not (site / page).with_suffix(".html").exists()]
    assert missing == []
    top = {page for page in shown if len(page.parts) == 1 and page.name != "index"}
    assert [page for page in sorted(top) if f'href="{page}.html"' not in menu] == []


def test_no_page_loads_anything_from_another_server(site: Path) -> None:
    for page in site.glob("*.html"):
        assert LOADED.findall(page.read_text("utf-8")) == []
