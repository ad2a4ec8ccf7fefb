"""What a browser makes of a page."""

import base64
import re
import shutil
import subprocess
from hashlib import sha256
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


HAND = """
const stage = document.getElementById("stage");
const at = stage.getBoundingClientRect();
const point = (x, y) => ({ clientX: at.left + x, clientY: at.top + y, bubbles: true });
const pointer = (name, x, y) =>
  stage.dispatchEvent(new PointerEvent(name, { pointerId: 1, ...point(x, y) }));
const wheel = (x, y, deltaY) =>
  stage.dispatchEvent(new WheelEvent("wheel", { deltaY, ...point(x, y) }));
const view = () => document.getElementById("v0").getAttribute("transform");
const said = [view()];
stage.setPointerCapture = () => {};
const note = () => said.push(view());
pointer("pointermove", 90, 90); note();
pointer("pointerdown", 100, 100); pointer("pointermove", 102, 101); note();
pointer("pointermove", 160, 70); pointer("pointerup", 160, 70); note();
pointer("pointermove", 300, 300); note();
wheel(200, 150, -400); note();
wheel(200, 150, 400); note();
wheel(0, 0, -1e6); note();
wheel(0, 0, 1e6); note();
document.getElementById("fit").click(); note();
document.getElementById("in").click(); note();
document.title = said.join("|");
"""


def handled(page: str, folder: Path, hand: str) -> list[tuple[float, float, float]]:
    """Return the places and the zooms of the first view that a script in a page noted."""
    digest = base64.b64encode(sha256(hand.encode()).digest()).decode()
    allowed = page.replace("script-src ", f"script-src 'sha256-{digest}' ")
    moved = shown(allowed.replace("</body>", f"<script>{hand}</script></body>"), folder)
    found = re.search(r"<title>(translate[^<]*)</title>", moved)
    assert found is not None
    form = r"translate\((\S+) (\S+)\) scale\((\S+)\)"
    views = [re.fullmatch(form, one) for one in found[1].split("|")]
    return [(float(v[1]), float(v[2]), float(v[3])) for v in views if v is not None]


def test_a_drag_moves_the_drawing_and_the_wheel_zooms_at_the_pointer(
    tmp_path: Path,
) -> None:
    page = page_of(Drawing("m", (View("a", "A", model()),)))
    places = handled(page, tmp_path, HAND)
    start, hovered, trembled, dragged, left, nearer, back, most, least, fit, more = places
    assert start == hovered == trembled
    assert dragged == pytest.approx((start[0] + 60, start[1] - 30, start[2]))
    assert left == dragged
    assert nearer[2] == pytest.approx(dragged[2] * 2.71828**0.6, rel=1e-4)
    # What is under the pointer stays there.
    for axis, pointer in enumerate((200, 150)):
        inside = (pointer - dragged[axis]) / dragged[2]
        assert nearer[axis] + inside * nearer[2] == pytest.approx(pointer)
    assert back == pytest.approx(dragged)
    assert (most[2], least[2]) == (4, 0.02)
    assert fit[2] == pytest.approx(more[2] / 1.25)
