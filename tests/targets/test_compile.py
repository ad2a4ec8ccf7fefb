"""What compiling writes: deterministic artifacts, shared kernels, every stage."""

import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from lxc.errors import InternalError
from lxc.ir.parser import parse_graph
from lxc.runtime.artifact import read
from lxc.targets import ALIASES, TARGETS, targets_named
from lxc.targets.compile import build_artifact, compile_target, emit, explanation
from lxc.targets.tvm_build import Generated, Processor

TWINS = """
graph @twins lux {
  input %x: f32[40, 64]
  input %y: f32[40, 64]
  param @0: f32[64, 130]
  tree inputs = (*, *)
  tree params = [*]
  tree state = []
  tree outputs = [*, *]

  %0: f32[40, 130] = dot_general(%x, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at left
  %1: f32[40, 130] = dot_general(%y, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at right
  return %0, %1
}
"""
V4 = TARGETS["x86-64-v4"]
SCRIPT = """
import sys
from hashlib import sha256
from lxc.ir.parser import parse_graph
from lxc.targets import targets_named
from lxc.targets.compile import build_artifact
made = build_artifact(parse_graph(sys.stdin.read()), targets_named("llvm"), name="twins")
print(sha256(made).hexdigest())
"""


def test_equal_work_shares_one_kernel_and_keeps_its_layer_paths() -> None:
    record = compile_target(parse_graph(TWINS), V4, name="twins").record
    first, second = (kernel for kernel in record.kernels if kernel["flops"])
    assert first["name"] == second["name"]
    assert (first["layers"], second["layers"]) == (["left"], ["right"])
    assert first["flops"] == 2 * 40 * 64 * 130


def equal_layers(count: int) -> str:
    """Return a chain of equal dense layers."""
    lines = ["graph @chain lux {", "  input %x: f32[8, 96]"]
    lines += [f"  param @{number}: f32[96, 96]" for number in range(count)]
    lines += ["  tree inputs = *", f"  tree params = [{', '.join('*' * count)}]"]
    lines += ["  tree state = []", "  tree outputs = *"]
    value = "%x"
    for number in range(count):
        lines += [
            f"  %{2 * number}: f32[8, 96] = dot_general({value}, @{number}) "
            "{lhs_batch = [], rhs_batch = [], lhs_contract = [1], rhs_contract = [0]} "
            f"at layer_{number}",
            f"  %{2 * number + 1}: f32[8, 96] = tanh(%{2 * number}) {{fast = true}} "
            f"at layer_{number}",
        ]
        value = f"%{2 * number + 1}"
    return "\n".join([*lines, f"  return {value}", "}"])


def test_equal_layers_add_calls_and_no_kernels() -> None:
    two, ten = (
        compile_target(parse_graph(equal_layers(count)), V4, name="chain")
        for count in (2, 10)
    )
    names = [{kernel["name"] for kernel in one.record.kernels} for one in (two, ten)]
    assert names[0] == names[1]
    layers = {path for kernel in ten.record.kernels for path in kernel["layers"]}
    assert layers == {f"layer_{number}" for number in range(10)}
    grown = len(ten.built.object_bytes) - len(two.built.object_bytes)
    assert grown < len(two.built.object_bytes) / 4
    assert len(explanation([ten.part])) < len(explanation([two.part])) + 8 * 400


def test_the_same_model_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = build_artifact(parse_graph(TWINS), targets_named("llvm"), name="twins")
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=TWINS,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == sha256(here).hexdigest()


def test_an_artifact_holds_what_a_caller_needs() -> None:
    artifact = read(build_artifact(parse_graph(TWINS), targets_named("llvm"), name="twins"))
    artifact.verify()
    assert [target.name for target in artifact.targets] == list(ALIASES["llvm"])
    for member in ("ir/traced.lxir", "explain.json", "code/x86-64-v3/model.h"):
        assert member in artifact
    assert "avx512f" in artifact.targets[-1].features
    assert artifact.signature.outputs.leaves[0].shape == (40, 130)


def test_products_use_the_widest_registers_and_no_stack_in_the_inner_loop() -> None:
    text = emit(parse_graph(TWINS), V4, "asm", name="twins").decode()
    loops = [block for block in text.split(".LBB") if block.count("vfmadd") >= 12]
    assert loops
    assert any("%zmm" in block and "(%rsp)" not in block for block in loops)


def test_a_failure_of_the_code_generator_names_the_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(functions: Mapping[Any, Any], processor: Processor) -> Generated:
        names = [str(name) for name in functions]
        if any("kernel_1" in name for name in names):
            raise InternalError("code generation", "the verifier says no")
        if not any("kernel_0" in name for name in names):
            raise AssertionError("a kernel was tried after the one that fails")
        return cast(Generated, None)

    monkeypatch.setattr("lxc.targets.llvm.compiled.generate", fails)
    with pytest.raises(InternalError) as caught:
        compile_target(parse_graph(TWINS), V4, name="twins")
    shown = str(caught.value)
    assert "packed_dot(f32[40, 64], f32[9, 64, 16]) -> f32[40, 130] at left" in shown
    assert "the verifier says no" in shown


def test_every_stage_can_be_asked_for() -> None:
    graph = parse_graph(TWINS)
    assert b"fused" in emit(graph, V4, "lxir")
    assert b"twins_entry_run" in emit(graph, V4, "tir", name="twins")
    assert b"define" in emit(graph, V4, "llvm", name="twins")
    assert emit(graph, V4, "obj", name="twins").startswith(b"\x7fELF")
