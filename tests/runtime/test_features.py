"""What a machine can run."""

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact, features
from lxc.runtime.features import (
    Machine,
    check_glibc,
    choice,
    choose,
    features_of,
    this_machine,
)
from lxc.runtime.manifest import TargetRecord

Toy = Any

X86 = "flags\t\t: fpu pni ssse3 sse4_1 sse4_2 avx2 bmi1 bmi2 abm fma avx512_vnni\n"
RISC_V = "hart\t: 0\nisa\t: rv64imafdcv_zicsr_zba\nmmu\t: sv39\n"
ARM = "processor : 0\nFeatures : fp asimd atomics asimddp crc32\n"


def target(name: str, *features: str, **changes: Any) -> TargetRecord:
    fields: dict[str, Any] = {"triple": "x86_64-linux-gnu", "prepared_bytes": 0}
    return TargetRecord(
        name=name, features=features, arena_bytes=0, **{**fields, **changes}
    )


@pytest.mark.parametrize(
    ("processor", "expected"),
    [
        (X86, {"sse3", "ssse3", "sse4.1", "sse4.2", "avx2", "bmi", "bmi2", "lzcnt", "fma"}),
        (X86, {"avx512vnni", "crc32"}),
        (ARM, {"neon", "fp-armv8", "lse", "dotprod"}),
        (ARM + "Features : sve sve2 i8mm bf16", {"sve", "sve2", "i8mm", "bf16"}),
        (RISC_V, {"m", "a", "f", "d", "c", "v", "zicsr", "zba"}),
        ("isa : rv64gc", {"i", "m", "a", "f", "d", "c"}),
        ("", set()),
    ],
)
def test_features_have_the_names_of_llvm(processor: str, expected: set[str]) -> None:
    assert expected <= features_of(processor)
    assert "avx512f" not in features_of(processor)


def test_this_machine_says_what_it_is() -> None:
    here = this_machine()
    assert here.architecture == platform.machine()
    assert here.features
    libc, version = platform.libc_ver()
    assert here.glibc == (version if libc == "glibc" else "")


LEVELS = (target("v2", "sse4.2"), target("v3", "avx2", "fma"), target("v4", "avx512f"))


@pytest.mark.parametrize(
    ("features", "chosen"),
    [
        ({"sse4.2"}, "v2"),
        ({"sse4.2", "avx2", "fma"}, "v3"),
        ({"sse4.2", "avx2", "fma", "avx512f"}, "v4"),
        ({"sse4.2", "avx512f"}, "v4"),
    ],
)
def test_the_last_target_that_fits_is_chosen(features: set[str], chosen: str) -> None:
    machine = Machine("x86_64", frozenset(features), "2.36")
    assert choose(LEVELS, machine).name == chosen


def test_a_machine_without_a_fitting_target_learns_what_it_lacks() -> None:
    machine = Machine("x86_64", frozenset({"avx2"}), "2.36")
    with pytest.raises(LxcError) as caught:
        choose(LEVELS[1:], machine)
    assert caught.value.code == "LXC-E0405"
    assert caught.value.expected == "v3 (needs fma) or v4 (needs avx512f)"
    assert "--target" in str(caught.value.hint)


def test_it_is_said_which_code_was_taken_and_what_the_rest_needs() -> None:
    machine = Machine("x86_64", frozenset({"sse4.2", "avx2", "fma"}), "2.36")
    assert choice(LEVELS, machine, "v3") == "v3; not v4 (needs avx512f)"
    assert choice(LEVELS[:2], machine, "v3") == "v3"
    elsewhere = target("arm", triple="aarch64-linux-gnu")
    said = choice((*LEVELS, elsewhere), machine, "v3")
    assert said == "v3; not v4 (needs avx512f) or arm (needs aarch64)"


def test_code_for_another_architecture_does_not_fit() -> None:
    with pytest.raises(LxcError) as caught:
        choose(LEVELS, Machine("aarch64", frozenset({"sse4.2"}), "2.36"))
    assert "v2 (needs x86_64)" in str(caught.value)


def test_no_targets_fit_nowhere() -> None:
    with pytest.raises(LxcError):
        choose([])


@pytest.mark.parametrize(
    ("needed", "present", "fits"),
    [
        ("2.34", "2.34", True),
        ("2.34", "2.4", False),
        ("2.34", "2.100", True),
        ("", "", True),
        ("2.2", "", False),
    ],
)
def test_the_c_library_must_be_new_enough(needed: str, present: str, fits: bool) -> None:
    machine = Machine("x86_64", frozenset(), present)
    record = target("v2", glibc=needed)
    if fits:
        check_glibc(record, machine)
    else:
        with pytest.raises(LxcError) as caught:
            check_glibc(record, machine)
        assert caught.value.code == "LXC-E0406"


def test_code_for_absent_features_is_not_mapped(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[object] = []
    monkeypatch.setattr("ctypes.CDLL", lambda *given, **named: mapped.append(given))
    encoded = artifact.write(
        None,
        signature=toy.signature,
        targets=[toy.target(features=("telepathy",))],
        members=toy.members(),
    )
    with pytest.raises(LxcError) as caught:
        CompiledModel(artifact.read(encoded))
    assert caught.value.code == "LXC-E0405"
    assert "telepathy" in str(caught.value)
    assert mapped == []


def test_a_model_for_other_machines_is_saved_here_and_not_called(
    toy: Toy, tmp_path: Path
) -> None:
    encoded = artifact.write(
        None,
        signature=toy.signature,
        targets=[toy.target(features=("telepathy",))],
        members=toy.members(),
    )
    params, state = toy.trees()
    model = CompiledModel(artifact.read(encoded), at_once=False)
    model.save(tmp_path / "toy.lxc", params=params)
    assert "params.safetensors" in artifact.read(tmp_path / "toy.lxc")
    with pytest.raises(LxcError, match="LXC-E0405"):
        model(np.zeros(4, np.float32), params, state)


def test_a_newer_c_library_is_asked_for_before_code_is_mapped(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[object] = []
    monkeypatch.setattr("ctypes.CDLL", lambda *given, **named: mapped.append(given))
    targets = [toy.target(glibc="99.1")]
    encoded = artifact.write(
        None, signature=toy.signature, targets=targets, members=toy.members()
    )
    with pytest.raises(LxcError) as caught:
        CompiledModel(artifact.read(encoded))
    assert caught.value.code == "LXC-E0406"
    assert mapped == []


def test_tiles_count_only_where_the_kernel_gives_them_to_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = "flags : avx2 amx_tile amx_bf16"
    monkeypatch.setattr(features, "first_processor", lambda: listed)
    for given in (True, False):
        monkeypatch.setattr(features, "has_tiles", lambda given=given: given)
        found = features.this_machine().features
        assert "avx2" in found
        assert ({"amx-tile", "amx-bf16"} <= found) == given
        assert bool(found & features.TILES) == given
