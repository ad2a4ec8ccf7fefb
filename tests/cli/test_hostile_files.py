"""Files from anywhere: each ends in a coded error, and none commands the terminal."""

import json
from pathlib import Path
from typing import Any

import pytest

from lxc.runtime.artifact import read, write
from tests.cli.conftest import Cli

CLEAR = "\x1b[2J"
DECISION = {
    "producer": "exp",
    "consumer": "tanh",
    "fused": False,
    "rule": "rule",
    "reason": "reason",
    "would_allow": "",
    "at": [[0, 0, 1]],
    "shapes": ["f32[1]", "f32[1]"],
}


def with_explanation(path: Path, explanation: bytes) -> None:
    """Replace what an artifact explains, with digests that fit."""
    artifact = read(path)
    members = {name: artifact.read(name) for name in artifact.manifest.members}
    members["explain.json"] = explanation
    signature, targets = artifact.signature, artifact.targets
    write(path, signature=signature, targets=targets, members=members)


def explained(layers: Any = ("a", "b"), **changes: Any) -> bytes:
    """Return an explanation of one decision, with some of its fields replaced."""
    stored = {"layers": layers, "decisions": [{**DECISION, **changes}]}
    return json.dumps({"x86-64-v3": stored}).encode()


@pytest.mark.parametrize("field", sorted({*DECISION, "layers"} - {"at"}))
def test_no_field_of_an_explanation_reaches_the_terminal_raw(
    cli: Cli, net: Path, field: str
) -> None:
    hostile: Any = [CLEAR, CLEAR] if field in ("layers", "shapes") else CLEAR
    with_explanation(net, explained(**{field: hostile}))
    printed = cli("explain", "net.lxc").out
    assert "\x1b" not in printed
    assert ("\\x1b[2J" in printed) == (field != "fused")


@pytest.mark.parametrize(
    "explanation",
    [
        b"[" * 100_000,
        b'{"x86-64-v3": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x86-64-v3": [{"fused": ' + b"9" * 5000 + b"}]}",
        b'{"x86-64-v3": [[]]}',
        b'{"x86-64-v3": 3}',
        b'{"x86-64-v2": []}',
        b"[]",
        b"\xff",
        b'{"x86-64-v3": {"layers": []}}',
        b'{"x86-64-v3": {"layers": 3, "decisions": []}}',
        b'{"x86-64-v3": {"layers": [], "decisions": [{"at": []}]}}',
        explained(layers=["a"]),
        explained(at=[[]]),
        explained(at=[[0, 0]]),
        explained(at=[["x", 0, 1]]),
        explained(at=[[0, -1, 1]]),
        explained(at=[[0, [], 1]]),
        explained(at=0),
        explained(about="weather"),
        explained(about=[]),
        explained(shapes=["a", "b", "c"]),
    ],
)
def test_an_explanation_of_another_form_is_refused(
    cli: Cli, net: Path, explanation: bytes
) -> None:
    with_explanation(net, explanation)
    assert "LXC-E0401" in cli("explain", "net.lxc", status=5).err


@pytest.mark.parametrize(
    "text",
    [
        "tree outputs = " + "[" * 100_000,
        "input %y: f32[" + "(" * 50_000,
        '%0: f32[2] = layer(%x) {kind = "'
        + CLEAR
        + '"} (%1: f32[2]) { yield %1 } return %0 }',
        '%0: f32[2] = exp(%x) at "' + CLEAR + '" return %0 }',
        f"; {CLEAR}",
        CLEAR,
    ],
)
def test_hostile_text_is_refused_and_shown_harmless(cli: Cli, text: str) -> None:
    Path("m.lxir").write_text(f"graph @m lux {{ input %x: f32[2] {text}")
    result = cli("opt", "m.lxir", "--pipeline", "all", status=3)
    assert "LXC-E0201" in result.err
    assert "\x1b" not in result.err + result.out


def test_escapes_in_text_stay_escapes_in_what_opt_prints(cli: Cli) -> None:
    Path("m.lxir").write_text(
        "graph @m lux { input %x: f32[2] "
        r'%0: f32[2] = exp(%x) at "\x1b[2J" return %0 }'
    )
    printed = cli("opt", "m.lxir", "--passes", "eliminate-dead").out
    assert r'at "\x1b[2J"' in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("verb", ["opt", "compile"])
def test_text_with_absurd_sizes_is_no_fault_of_the_artifact(cli: Cli, verb: str) -> None:
    shape = "f32[999999999999999999999, 9999999999]"
    Path("m.lxir").write_text(f"graph @m lux {{ input %x: {shape} return %x }}")
    rest = ("--pipeline", "all") if verb == "opt" else ("-o", "a.lxc")
    printed = cli(verb, "m.lxir", *rest, status=3).err
    assert "LXC-E0202" in printed
    assert "invariant 12" in printed


def test_an_input_of_absurd_size_is_refused_before_tracing(cli: Cli) -> None:
    arguments = ("models.py:net", "--input", "x=f32[9999999999999999999,3]")
    assert "LXC-E0103" in cli("compile", *arguments, "-o", "a.lxc", status=3).err
