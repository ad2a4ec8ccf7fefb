"""lxc diff: every group that differs is named, and files from anywhere do no harm."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.comparison.artifacts import compare
from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact, read, write
from lxc.runtime.checkpoint import decode, encode
from lxc.runtime.contents import MemoryContents
from tests.cli.conftest import NET, Cli

PARAMS, IR = "params.safetensors", "ir/traced.lxir"
LIBRARY = "code/x86-64-v2/model.so"
CLEAR = "\x1b[2J"


def changed(said: Any) -> dict[str, Any]:
    """Return the groups that differ."""
    return {name: group for name, group in said["groups"].items() if group}


def rewritten(artifact: Artifact, path: Path, **changes: Any) -> None:
    """Write an artifact with other fields of its manifest."""
    manifest = artifact.manifest
    members = {name: artifact.read(name) for name in manifest.members}
    fields = {
        "targets": artifact.targets,
        "options": manifest.options,
        "versions": manifest.versions,
        "memory": manifest.memory,
    }
    write(path, signature=artifact.signature, members=members, **{**fields, **changes})


def test_equal_files_are_told_at_once_whatever_they_hold(cli: Cli, net: Path) -> None:
    contents = bytearray(net.read_bytes())
    contents[contents.rindex(b"\x7fELF") + 500] ^= 1
    for name in ("a.lxc", "b.lxc"):
        Path(name).write_bytes(contents)
    printed = cli("diff", "a.lxc", "b.lxc").out
    assert printed == "a.lxc and b.lxc are equal, byte for byte\n"
    said = cli("diff", "a.lxc", "b.lxc", "--json").json
    assert said["equal"]
    assert changed(said) == {}
    assert "LXC-E0404" in cli("diff", "a.lxc", "net.lxc", status=5).err


def test_what_a_rounder_weight_changes_is_named_group_by_group(cli: Cli, net: Path) -> None:
    cli("compile", *NET, "-o", "low.lxc", "--target", "x86-64-v3", "--precision", "int8")
    said = cli("diff", "net.lxc", "low.lxc", "--json", status=1).json
    found = changed(said)
    assert {"signature", "options", "targets", "decisions", "kernels", "memory"} < set(
        found
    )
    assert found["targets"] == [
        {"kind": "removed", "where": "x86-64-v2", "before": "", "after": ""}
    ]
    (precision,) = found["options"]
    assert (precision["before"], precision["after"]) == ("float32", "int8")
    reduced = [one for one in found["decisions"] if "reduced" in one["after"]]
    assert all(one["where"].startswith("x86-64-v3 precision: ") for one in reduced)
    assert len(reduced) == 2
    assert any("precision=int8" in one["after"] for one in found["kernels"])
    assert {"IR", "params", "state", "versions"}.isdisjoint(found)
    printed = cli("diff", "net.lxc", "low.lxc", status=1).out
    assert "\n  ~ precision: float32 -> int8\n" in printed
    assert printed.splitlines()[-1] == "equal: versions, IR, params, state, constants"
    assert "more, which --all shows" in printed
    assert (
        "more, which --all shows"
        not in cli("diff", "net.lxc", "low.lxc", "--all", status=1).out
    )


def test_params_that_differ_are_named_with_their_distance(cli: Cli, net: Path) -> None:
    artifact = read(net)
    arrays = {
        name: one.copy() for name, one in decode(artifact.view(PARAMS)).arrays.items()
    }
    arrays["layer_1.weight"][1, 2] += 0.5
    arrays["layer_3.weight"] = arrays["layer_3.weight"].astype(np.float16)
    arrays["spare"] = arrays.pop("layer_3.bias")
    Path("other.lxc").write_bytes(artifact.with_members({PARAMS: encode(arrays)}))
    said = cli("diff", "net.lxc", "other.lxc", "--json", status=1).json
    assert set(changed(said)) == {"params", "members"}
    told = {one["where"]: one for one in said["groups"]["params"]}
    assert set(told) == {"layer_1.weight", "layer_3.weight", "layer_3.bias", "spare"}
    assert told["layer_1.weight"]["after"].startswith("off by at most 0.5, ")
    assert told["layer_3.weight"]["after"] == "float16[2, 4]"
    assert told["layer_3.bias"]["kind"] == "removed"
    assert told["spare"]["kind"] == "added"


def test_values_that_only_one_holds_are_named(cli: Cli, net: Path) -> None:
    artifact = read(net)
    kept = {n: artifact.read(n) for n in artifact.manifest.members if n not in (PARAMS, IR)}
    write("bare.lxc", signature=artifact.signature, targets=artifact.targets, members=kept)
    found = changed(cli("diff", "net.lxc", "bare.lxc", "--json", status=1).json)
    assert [one["where"] for one in found["params"]] == [PARAMS]
    assert [(one["kind"], one["where"]) for one in found["IR"]] == [("removed", IR)]
    assert "state" not in found
    back = changed(cli("diff", "bare.lxc", "net.lxc", "--json", status=1).json)
    assert [(one["kind"], one["where"]) for one in back["IR"]] == [("added", IR)]


def test_a_constant_in_the_ir_is_told_at_its_layer(cli: Cli, net: Path) -> None:
    artifact = read(net)
    text = artifact.read(IR).replace(b"value = [0x0p+0]", b"value = [0x1p-8]", 1)
    Path("other.lxc").write_bytes(artifact.with_members({IR: text}))
    printed = cli("diff", "net.lxc", "other.lxc", status=1).out
    for line in (
        "  - layer_1: constant() {dtype = f32, shape = [], value = [0x0p+0]} -> f32[]\n",
        "  + layer_1: constant() {dtype = f32, shape = [], value = [0x1p-8]} -> f32[]\n",
    ):
        assert line in printed


def test_no_code_is_mapped(cli: Cli, net: Path) -> None:
    Path("other.lxc").write_bytes(read(net).with_members({LIBRARY: b"no library"}))
    found = changed(cli("diff", "net.lxc", "other.lxc", "--json", status=1).json)
    assert list(found) == ["members"]
    assert [one["where"] for one in found["members"]] == [LIBRARY]


def test_no_text_of_a_file_reaches_the_terminal_raw(cli: Cli, net: Path) -> None:
    artifact = read(net)
    (first, *rest) = artifact.targets
    kernels = ({"ops": CLEAR, "layers": [CLEAR], "result": {CLEAR: 1}, CLEAR: CLEAR},)
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__}
    hostile = type(first)(**{**fields, "kernels": kernels})
    rewritten(
        artifact,
        Path("other.lxc"),
        targets=(hostile, *rest),
        options={CLEAR: {CLEAR: CLEAR}, "long": "x" * 10_000},
        versions={"lxc": [CLEAR]},
        memory={CLEAR: None},
    )
    printed = cli("diff", "net.lxc", "other.lxc", "--all", status=1).out
    assert "\x1b" not in printed
    assert "\\x1b[2J" in printed
    assert max(map(len, printed.splitlines())) < 1000
    assert "\x1b" not in cli("diff", "net.lxc", "other.lxc", "--json", status=1).out


@pytest.mark.parametrize(
    ("member", "contents", "code"),
    [
        (IR, b"\xff", "LXC-E0401"),
        (IR, b"graph @m lux {", "LXC-E0201"),
        (IR, b"graph @m lux { input %x: f32[2] return %x }", "LXC-E0410"),
        ("explain.json", b"[" * 100_000, "LXC-E0401"),
        ("explain.json", b"{}", "LXC-E0401"),
        (PARAMS, b"\0" * 20, "LXC-E0409"),
    ],
)
def test_a_member_of_another_form_is_refused(
    cli: Cli, net: Path, member: str, contents: bytes, code: str
) -> None:
    Path("other.lxc").write_bytes(read(net).with_members({member: contents}))
    status = 3 if code == "LXC-E0201" else 5
    told = cli("diff", "net.lxc", "other.lxc", status=status).err
    assert code in told
    assert "other.lxc" in told or code == "LXC-E0201"


def test_a_manifest_of_too_many_levels_ends_in_a_coded_error(net: Path) -> None:
    nested: Any = 1
    for _ in range(5000):
        nested = [nested]
    artifact = read(net)
    other = replace(artifact.manifest, options={"deep": nested})
    contents = MemoryContents(net.read_bytes() + b"?")
    with pytest.raises(LxcError, match="LXC-E0402"):
        compare(artifact, replace(artifact, manifest=other, contents=contents))
