"""lxc memory: what the memory of a call is taken for."""

import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from lxc.__main__ import run
from lxc.runtime.artifact import read
from lxc.runtime.manifest import Manifest
from tests.cli.conftest import Cli
from tests.emulation.machines import cards

SVG = "{http://www.w3.org/2000/svg}"
CHAIN = """
from lxc import nn

model = nn.Chain(nn.Dense(100, 300), nn.Dense(300, 20), nn.Dense(20, 2))
"""
SOURCE = ("chain.py:model", "--input", "x=f32[N,100]", "--dim", "N=1..8")


BEHIND = """
from dataclasses import dataclass

import numpy as np

from lxc import nn

split = nn.Dense(1100, 8)


@dataclass(frozen=True)
class Turning(nn.Layer):
    def init_state(self, rng):
        return {"one": np.zeros((9, 50), "f4"), "two": np.ones((9, 50), "f4")}

    def __call__(self, x, ps, st):
        return x + 1.0, {"one": st["two"], "two": st["one"]}


turning = Turning()
"""


@pytest.fixture(scope="module")
def compiled_chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an artifact whose arena holds the results of two products."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "chain.py").write_text(CHAIN)
    targets = ("--target", "x86-64-v2,cuda-sm80", "-o", str(folder / "chain.lxc"))
    assert run(["compile", str(folder / SOURCE[0]), *SOURCE[1:], *targets]) == 0
    return folder / "chain.lxc"


@pytest.fixture
def chain(cli: Cli, compiled_chain: Path) -> Path:
    """Return that artifact where commands run."""
    return Path(shutil.copy(compiled_chain, "chain.lxc"))


@pytest.mark.parametrize("target", ["x86-64-v2", "cuda-sm80"])
def test_every_value_in_the_arena_has_its_place_and_time(
    cli: Cli, chain: Path, target: str
) -> None:
    said = cli("memory", "chain.lxc", "--target", target, "--json").json
    sizes = {one["type"]: one["bytes"] for one in said["values"]}
    assert sizes["f32[N, 300]"] == 8 * 300 * 4
    assert sizes["f32[N, 20]"] == 8 * 20 * 4
    (wide,) = (one for one in said["values"] if one["type"] == "f32[N, 300]")
    (narrow,) = (one for one in said["values"] if one["type"] == "f32[N, 20]")
    steps = [step["ops"] for step in said["steps"]]
    assert ("dot" in steps[wide["first_step"]], wide["ops"]) == (True, steps[0])
    assert wide["last_step"] == narrow["first_step"] == wide["first_step"] + 1
    assert said["bytes"]["arena"] == dict(read(chain).manifest.memory)["arena"][target]
    assert said["bytes"]["parameters"] == 4 * (300 * 101 + 20 * 301 + 2 * 21)
    assert said["bytes"]["inputs"] == 8 * 100 * 4
    # Both products are needed while the second one runs.
    assert said["fullest_step"] == narrow["first_step"]
    fullest = said["steps"][said["fullest_step"]]["bytes"]
    assert fullest == wide["bytes"] + narrow["bytes"]


def test_values_of_one_time_lie_apart_and_within_the_arena(cli: Cli, net: Path) -> None:
    said = cli("memory", "net.lxc", "--json").json
    values = said["values"]
    assert values
    for place, one in enumerate(values):
        assert one["offset"] + one["bytes"] <= said["bytes"]["arena"]
        for other in values[place + 1 :]:
            if one["first_step"] < other["first_step"] <= one["last_step"] - 1:
                below = one["offset"] + one["bytes"] <= other["offset"]
                assert below or other["offset"] + other["bytes"] <= one["offset"]


@pytest.mark.parametrize(
    ("model", "target", "behind"),
    # Five chains of the sums that blocks share; two values that are saved.
    [("split", "cuda", 1472), ("turning", "x86-64-v2", 2 * 1856)],
)
def test_memory_behind_the_values_is_a_part_of_the_arena(
    cli: Cli, model: str, target: str, behind: int
) -> None:
    Path("behind.py").write_text(BEHIND)
    width = {"split": 1100, "turning": 7}[model]
    options = ("--input", f"x=f32[9,{width}]", "--target", target, "-o", "behind.lxc")
    with cards():
        cli("compile", f"behind.py:{model}", *options)
        said = cli("memory", "behind.lxc", "--json").json
        printed = cli("memory", "behind.lxc").out
    assert said["behind_values"] == behind
    ends = [one["offset"] + one["bytes"] for one in said["values"]]
    assert said["bytes"]["arena"] >= max(ends, default=0) + said["behind_values"]
    assert "behind the values: " in printed


def test_the_largest_come_first(cli: Cli, chain: Path) -> None:
    printed = cli("memory", "chain.lxc", "--target", "x86-64-v2", "--most", "1").out
    assert "9.6 KB" in printed
    assert "640 B" not in printed.partition("largest values")[2]


def test_a_chart_has_a_box_for_every_value(cli: Cli, chain: Path) -> None:
    said = cli("memory", "chain.lxc", "-o", "arena.svg", "--json").json
    root = ElementTree.parse("arena.svg").getroot()
    boxes = list(root.iter(f"{SVG}g"))
    assert len(boxes) == len(said["values"])
    titles = {box.findtext(f"{SVG}title", "").splitlines()[0] for box in boxes}
    assert any(title.startswith("f32[N, 300], 9,600 bytes") for title in titles)
    heights = [float(box.find(f"{SVG}rect").get("height", "0")) for box in boxes]  # type: ignore[union-attr]
    assert max(heights) > 10 * min(heights)


def test_code_of_another_plan_is_not_explained_by_this_one(cli: Cli, net: Path) -> None:
    artifact = read(net)
    changed: Manifest = artifact.manifest
    object.__setattr__(changed.targets[-1], "arena_bytes", 1 << 20)
    net.write_bytes(artifact.with_members({}))
    printed = cli("memory", "net.lxc", status=5).err
    assert "lxc upgrade" in printed
