"""lxc profile: tables, JSON, and a trace for Chrome."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

QUICK = ("--dim", "N=4", "--threads", "1", "--seconds", "0")


def test_a_profile_has_every_kernel_that_inspect_lists(cli: Cli, net: Path) -> None:
    inspected = cli("inspect", "net.lxc", "--json").json["targets"][-1]
    said = cli("profile", "net.lxc", *QUICK, "--chrome", "trace.json", "--json").json
    assert said["target"] == inspected["name"]
    assert (said["dimensions"], said["threads"], said["notes"]) == ({"N": 4}, 1, [])
    numbers = [one["number"] for one in (*said["kernels"], *said["prepare"])]
    assert sorted(numbers) == list(range(len(inspected["kernels"])))
    for one in (*said["kernels"], *said["prepare"]):
        assert one["name"] == inspected["kernels"][one["number"]]["name"]
        assert one["calls"] == 1
        assert one["nanoseconds"]["min"] <= one["nanoseconds"]["median"]
    for rows in (said["kernels"], said["layers"]):
        assert sum(one["share"] for one in rows) == pytest.approx(1)
    assert said["kernels"][-1]["cumulative"] == pytest.approx(1)
    ceilings = {one["what"]: one for one in said["ceilings"]}
    assert ceilings["float32"]["unit"] == "GFLOP/s"
    assert ceilings["L1"]["unit"] == "GB/s"
    assert all(one["rate"] > 0 for one in ceilings.values())
    check_trace(json.loads(Path("trace.json").read_text()), said)


def test_a_busy_machine_is_a_reason_to_doubt_a_profile(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (97.5, 1.0, 1.0))
    said = cli("profile", "net.lxc", *QUICK, "--json").json
    assert any("busy already: load 97.5" in one for one in said["warnings"])
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    assert "busy already" not in cli("profile", "net.lxc", *QUICK).out


def check_trace(trace: Any, said: Any) -> None:
    """A trace has every kernel once in each of its calls."""
    timed = [one for one in trace["traceEvents"] if one["ph"] == "X"]
    assert {one["cat"] for one in timed} == {"call", "kernel", "layer"}
    calls = sum(one["cat"] == "call" for one in timed)
    assert 1 <= calls <= said["calls"]
    names = [one["name"] for one in timed if one["cat"] == "kernel"]
    expected = [one["ops"] for one in said["kernels"] for _ in range(calls)]
    assert sorted(names) == sorted(expected)


def test_tables_are_for_people(cli: Cli, net: Path) -> None:
    printed = cli("profile", "net.lxc", *QUICK, "--target", "x86-64-v2").out
    for words in (
        *("x86-64-v2 on 1 thread", "kernels of a call:", "kernels that run once"),
        *("coverage:", "of limit"),
    ):
        assert words in printed
    printed = cli("profile", "net.lxc", *QUICK, "--by", "layer", "--levels", "2").out
    assert "layers of a call:" in printed
    assert "layer_3" in printed
    assert "kernels of a call:" not in printed


def test_the_file_for_chrome_is_refused_before_anything_is_measured(
    cli: Cli, net: Path
) -> None:
    assert "LXC-E0002" in cli("profile", "net.lxc", "--chrome", "none/t", status=2).err
