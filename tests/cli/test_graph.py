"""Drawings by the command line."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import NET, Cli
from tests.drawing.test_files import data_of


def test_an_artifact_is_drawn_in_all_its_stages(cli: Cli, net: Path) -> None:
    said = cli("graph", "net.lxc", "-o", "net.html", "--json").json
    assert said["file"] == "net.html"
    names = [view["name"] for view in said["views"]]
    assert names == ["traced", "tensor level", "x86-64-v3", "prepare"]
    boxes = data_of(Path("net.html").read_text("utf-8"))["boxes"]
    assert len(boxes) == sum(view["boxes"] for view in said["views"])
    titles = {box["title"] for box in boxes.values()}
    assert {"Chain", "Dense", "BatchNorm"} <= titles
    cli("graph", "net.lxc", "-o", "v2.html", "--target", "x86-64-v2", "--view", "target")
    page = Path("v2.html").read_text("utf-8")
    assert data_of(page)["first"] == 2
    assert ">x86-64-v2</button>" in page


def test_a_model_and_text_are_drawn_too(cli: Cli) -> None:
    cli("graph", *NET, "-o", "net.svg")
    assert "Dense" in Path("net.svg").read_text("utf-8")
    cli("compile", *NET, "--emit", "lxir", "-o", "net.lxir", "--target", "x86-64-v3")
    said = cli("graph", "net.lxir", "-o", "net.dot", "--all", "--json").json
    assert [view["name"] for view in said["views"]] == ["program", "prepare"]
    assert Path("net.dot").read_text("utf-8").startswith('digraph "program" {')


def test_a_profile_warms_layers_and_kernels(cli: Cli, net: Path) -> None:
    profile = cli("profile", "net.lxc", "--json", "--seconds", "0.05").out
    Path("p.json").write_text(profile)
    for view in ("traced", "target"):
        cli("graph", "net.lxc", "-o", f"{view}.svg", "--profile", "p.json", "--view", view)
        tree = ElementTree.parse(f"{view}.svg")
        shares = [one.text or "" for one in tree.iter() if one.get("class") == "share"]
        assert shares, view
        assert all(share.endswith("%") for share in shares)
    kernels = json.loads(profile)["kernels"]
    named = [kernel for kernel in kernels if kernel["number"] is not None]
    assert len(shares) == len(named)


@pytest.mark.parametrize("said", ["[]", '{"target": 3}', "no", "[" * 100_000])
def test_a_file_that_is_no_profile_is_refused(cli: Cli, net: Path, said: str) -> None:
    Path("p.json").write_text(said)
    arguments = ("graph", "net.lxc", "-o", "a.svg", "--profile", "p.json")
    assert "does not hold a profile" in cli(*arguments, status=2).err
    assert not Path("a.svg").exists()
