"""What a browser makes of a page."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lxc.drawing.diagram import Drawing, View
from lxc.drawing.page import page_of
from tests.drawing.test_files import EVIL, Tags, evil, model

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
ALONE = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")


def shown(page: str, folder: Path, link: str = "") -> str:
    """Return the document after the page's script ran, with all that it logged."""
    path = folder / "page.html"
    path.write_text(page, "utf-8")
    assert BROWSER is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [BROWSER, *ALONE, profile, "--window-size=900,700", "--dump-dom"]
    log = ["--enable-logging=stderr", f"{path.as_uri()}{link}"]
    done = subprocess.run(
        [*command, *log], capture_output=True, text=True, check=True, timeout=120
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == []
    return done.stdout


def classes(page: str, ident: str) -> set[str]:
    """Return the classes of the element with an id."""
    (found,) = [a["class"] for _, a in Tags(page).found if a.get("id") == ident]
    return set(str(found).split())


def test_the_script_opens_what_a_search_finds(tmp_path: Path) -> None:
    page = page_of(Drawing("m", (View("a", "A", model()), View("b", "B", model()))))
    quiet = shown(page, tmp_path)
    assert 'id="t0" role="tab" aria-selected="true"' in quiet
    assert re.search(r'id="v0" transform="translate\([^)]+\) scale', quiet)
    assert "open" not in classes(quiet, "v0-1")
    found = shown(page, tmp_path, "#find=multiply")
    assert "open" in classes(found, "v0-1")
    assert {"match", "chosen"} <= classes(found, "v0-1-2")
    assert "match" not in classes(found, "v0-0")
    assert '<output id="found">1 of 1</output>' in found
    assert '<h2 id="name">multiply</h2>' in found
    heights = [
        float(str(a["height"]))
        for page in (quiet, found)
        for _, a in Tags(page[page.index('id="v0-1"') :]).found[:3]
        if a.get("class") == "card"
    ]
    assert heights[1] > 3 * heights[0]


def test_text_of_a_model_does_nothing_in_a_browser(tmp_path: Path) -> None:
    page = shown(page_of(Drawing(EVIL, (evil(),))), tmp_path, "#find=script")
    tags = [tag for tag, _ in Tags(page).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert "1 of" in page
