"""Targets by name, the pinned pair of TVM packages, and the checks of generated code."""

from typing import Any

import pytest

from lxc.errors import InternalError, LxcError
from lxc.ir.op import OPS
from lxc.runtime.features import this_machine
from lxc.targets import ALIASES, TARGETS, target_named, targets_named
from lxc.targets.kernels.anchor_forms import ANCHORS
from lxc.targets.kernels.element import FILLED
from lxc.targets.kernels.element_rules.table import RULES
from lxc.targets.kernels.kernel import GROUPS, WHOLE
from lxc.targets.kernels.opaque import OPAQUE
from lxc.targets.kernels.sources import SOURCES
from lxc.targets.kernels.views import MOVES
from lxc.targets.lint import LARGEST_FRAME, check_code
from lxc.targets.llvm.calls import LOOPS, WITHOUT_CODE
from lxc.targets.tvm_build import known_features
from lxc.targets.tvm_packages import PINNED, check_versions

LAYER_LEVEL = {"chain", "layer", "noop"}
"""Ops that are gone before a target begins."""


def test_every_op_has_a_lowering() -> None:
    tables = (
        *(ANCHORS, WHOLE, OPAQUE, RULES, SOURCES, MOVES),
        *(FILLED, GROUPS, LOOPS, WITHOUT_CODE),
    )
    lowered = [name for table in tables for name in table]
    assert sorted(lowered) == sorted(set(OPS) - LAYER_LEVEL)


def test_the_alias_stands_for_all_levels_the_best_one_last() -> None:
    names = [target.name for target in targets_named("llvm")]
    assert names == ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
    assert targets_named(["x86-64-v4", "llvm", "x86-64-v2"]) == targets_named("llvm")


def test_every_alias_stands_for_targets_that_there_are() -> None:
    assert not set(ALIASES) & set(TARGETS)
    for name in ALIASES:
        assert targets_named(name)
    chosen = targets_named(["h100", "rpi4", "graviton3", "x86-64-v3", "riscv64"])
    names = [target.name for target in chosen]
    assert names == ["x86-64-v3", "cortex-a72", "neoverse-v1", "riscv64-linux", "cuda-sm90"]


def test_of_two_targets_of_a_family_the_one_that_needs_more_is_preferred() -> None:
    for place, low in enumerate(TARGETS.values()):
        later = list(TARGETS.values())[place + 1 :]
        for high in later:
            if high.triple == low.triple and not high.back_end.images:
                assert not set(high.features) < set(low.features), (low.name, high.name)


def test_an_unknown_target_is_refused_by_name() -> None:
    with pytest.raises(LxcError, match="there is no target 'x87'") as caught:
        target_named("x87")
    assert caught.value.code == "LXC-E0305"
    assert caught.value.hint is not None
    assert "x86-64-v2" in caught.value.hint


@pytest.mark.parametrize("names", [[], 5, None, ["x86-64-v2", 5]])
def test_what_names_no_target_is_refused(names: Any) -> None:
    with pytest.raises(LxcError, match="no target is named") as caught:
        targets_named(names)
    assert caught.value.code == "LXC-E0001"
    assert "x86-64-v2" in str(caught.value.hint)


@pytest.mark.parametrize("name", TARGETS)
def test_a_level_asks_for_features_that_llvm_uses_there(name: str) -> None:
    target = TARGETS[name]
    assert set(target.features) <= known_features(target.processor)


def test_native_needs_nothing_that_this_machine_lacks() -> None:
    assert set(target_named("native").features) <= this_machine().features


@pytest.mark.parametrize("changed", PINNED)
def test_another_version_of_tvm_is_refused_with_the_command_to_run(changed: str) -> None:
    with pytest.raises(LxcError) as caught:
        check_versions({**PINNED, changed: "9.9"})
    assert caught.value.code == "LXC-E0303"
    assert caught.value.hint == "pip install " + " ".join(
        f"{name}=={version}" for name, version in PINNED.items()
    )
    check_versions(PINNED)


def test_code_that_takes_memory_from_the_heap_is_refused() -> None:
    with pytest.raises(InternalError, match="heap"):
        check_code("@__TVMBackendAllocWorkspace = external global ptr")


@pytest.mark.parametrize("origin", ["", ", !dbg !7", ", !dbg !7, !note !8"])
def test_code_with_a_large_stack_frame_is_refused(origin: str) -> None:
    slots = LARGEST_FRAME // 64
    frame = "\n".join(
        f"  %{n} = alloca [16 x float], align 64{origin}" for n in range(slots)
    )
    check_code(f"define i32 @small() {{\n{frame}\n}}")
    with pytest.raises(InternalError, match="large needs"):
        check_code(f"define i32 @large() {{\n{frame}\n  %x = alloca i32, align 4\n}}")
