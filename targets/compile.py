"""Compile a graph for targets, and write what comes out into an artifact."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lxc.errors import InternalError, LxcError, one_of
from lxc.ir.graph import Graph, Program
from lxc.ir.types import Array
from lxc.passes import Decision, Outcome, passes_named, run_passes
from lxc.passes.choices import DEFAULT, Choices
from lxc.passes.decision_list import decisions_to_json
from lxc.runtime.artifact import write
from lxc.runtime.checkpoint import encode
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature, identifier
from lxc.targets.buffer_table import signature_of
from lxc.targets.llvm.link import needed_glibc
from lxc.targets.llvm.toolchain import compiler_for
from lxc.targets.part import DECISIONS, Part, Parts, description_of
from lxc.targets.report import kernel_records, tuning_decisions
from lxc.targets.target import Built, Code, Lowered, Request, Target
from lxc.targets.tvm_build import llvm_version
from lxc.targets.tvm_packages import PINNED

Kind = Literal["lxir", "tir", "llvm", "asm", "obj", "cuda", "ptx", "cubin", "sass"]


@dataclass(frozen=True)
class CompiledTarget:
    """A model as a library for one target, with everything that an artifact says of it."""

    target: Target
    signature: Signature
    program: Program
    built: Built
    record: TargetRecord
    decisions: tuple[Decision, ...]

    @property
    def part(self) -> Part:
        """What an artifact holds of it."""
        folder = f"code/{self.target.name}"
        code = {
            f"{folder}/model.so": self.built.library,
            f"{folder}/model.o": self.built.object_bytes,
            f"{folder}/model.h": self.built.header.encode("ascii"),
        }
        told = decisions_to_json(self.decisions)
        return Part(self.record, code, told)


def compile_target(
    graph: Graph,
    target: Target,
    *,
    name: str,
    mode: str | None = None,
    choices: Choices = DEFAULT,
    compiler: str = "cc",
) -> CompiledTarget:
    """Return the library of a tensor-level graph for one target.

    `mode` is what the signature says instead of the graph's own mode. `cc` stands for any
    C compiler that makes code for the target.
    """
    compiler = linker_for(target, compiler)
    outcome, program = target_program(graph, target, choices)
    signature = signature_of(graph, name=name, mode=mode or graph.mode)
    built = target.back_end.built(Request(program, signature, choices, compiler), target)
    lowered = built.code.lowered
    record = TargetRecord(
        name=target.name,
        triple=target.triple,
        features=target.features,
        prepared_bytes=lowered.prepared_bytes,
        arena_bytes=lowered.arena_bytes,
        glibc=needed_glibc(built.library),
        kernels=kernel_records(lowered.calls, built.code.facts),
        images=target.back_end.images,
        driver=built.driver,
    )
    decisions = (
        *outcome.decisions,
        *target.back_end.decisions(program),
        *tuning_decisions(lowered.calls),
    )
    return CompiledTarget(target, signature, program, built, record, decisions)


def linker_for(target: Target, compiler: str) -> str:
    """Return the C compiler for a target; `cc` stands for any that makes code for it."""
    return compiler_for(target.triple) if compiler == "cc" else compiler


def target_program(
    graph: Graph, target: Target, choices: Choices = DEFAULT
) -> tuple[Outcome, Program]:
    """Return the program that a target's passes make of a graph, and how."""
    passes = passes_named(target.back_end.pipeline)
    outcome = run_passes(graph, passes, machine=target.machine, choices=choices)
    if not isinstance(outcome.program, Program):
        raise InternalError("compilation", "the passes did not split the graph")
    return outcome, outcome.program


def lowered_program(
    program: Program, target: Target, name: str, choices: Choices = DEFAULT
) -> Lowered:
    """Return the functions of a planned program, before they are machine code."""
    return target.back_end.lowered(program, target, name, choices)


def machine_code(
    program: Program, target: Target, name: str, choices: Choices = DEFAULT
) -> Code:
    """Return the code of a planned program."""
    return target.back_end.code(program, target, name, choices)


def emit(
    graph: Graph,
    target: Target,
    kind: Kind,
    *,
    name: str = "model",
    choices: Choices = DEFAULT,
) -> bytes:
    """Return one stage of compiling a tensor-level graph: text, or an object file."""
    check_kind(target, kind)
    _, program = target_program(graph, target, choices)
    if kind == "lxir":
        return str(program).encode()
    return machine_code(program, target, identifier(name), choices).stage(kind)


def check_kind(target: Target, kind: Kind) -> None:
    """Refuse a stage that code for a target does not go through."""
    known = ["lxir", *(stage.kind for stage in target.back_end.stages)]
    if kind not in known:
        raise LxcError(
            "LXC-E0001",
            f"code for {target.name} has no stage {kind}",
            hint=f"--emit {one_of(known)}, or name another --target",
        )


def build_artifact(
    graph: Graph,
    targets: Sequence[Target],
    *,
    name: str,
    mode: str | None = None,
    choices: Choices = DEFAULT,
    traced: Graph | None = None,
    params: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    options: Mapping[str, Any] | None = None,
    versions: Mapping[str, Any] | None = None,
    compiler: str = "cc",
    kept: Parts | None = None,
) -> bytes:
    """Return an artifact with a tensor-level graph compiled for every target.

    `traced` is the layer-level graph to keep. `params` and `state` are values to keep, by
    tree path. `versions` is added to those of the tools. Code that is `kept` already is not
    made again, and what is made is kept there.
    """
    tools = {**PINNED, "llvm": str(llvm_version())}
    parts = [
        part_of(
            graph,
            target,
            name=name,
            mode=mode,
            choices=choices,
            compiler=compiler,
            kept=kept,
        )
        for target in targets
    ]
    members = {key: code for part in parts for key, code in part.code.items()}
    members["ir/traced.lxir"] = str(traced or graph).encode()
    members[DECISIONS] = explanation(parts)
    members |= values_of(graph, params, state)
    tools |= tools_of(targets, compiler)
    return write(
        None,
        signature=signature_of(graph, name=name, mode=mode or graph.mode),
        targets=[part.record for part in parts],
        members=members,
        options=options or {},
        versions={**tools, **(versions or {})},
        memory=memory_of(graph, parts),
    )


def part_of(
    graph: Graph,
    target: Target,
    *,
    name: str,
    mode: str | None = None,
    choices: Choices = DEFAULT,
    compiler: str = "cc",
    kept: Parts | None = None,
) -> Part:
    """Return what an artifact holds for one target, from where parts are kept if there."""
    if kept is None:
        return compile_target(
            graph, target, name=name, mode=mode, choices=choices, compiler=compiler
        ).part
    wanted = description_of(
        graph,
        target,
        choices,
        name=name,
        mode=mode or graph.mode,
        tools=tools_with(target, compiler),
    )
    found = kept.find(wanted)
    if found is None:
        found = part_of(
            graph, target, name=name, mode=mode, choices=choices, compiler=compiler
        )
        kept.keep(wanted, found)
    return found


def tools_with(target: Target, compiler: str) -> dict[str, str]:
    """Return the versions of all that makes the code for a target."""
    return {**PINNED, "llvm": str(llvm_version()), **tools_of([target], compiler)}


def tools_of(targets: Sequence[Target], compiler: str) -> dict[str, str]:
    """Return the versions of what makes libraries beside TVM."""
    found: dict[str, dict[str, None]] = {}
    for target in targets:
        for kind, version in target.back_end.tools(linker_for(target, compiler)).items():
            found.setdefault(kind, {})[version] = None
    return {kind: "; ".join(versions) for kind, versions in found.items()}


def values_of(
    graph: Graph, params: Mapping[str, Array] | None, state: Mapping[str, Array] | None
) -> dict[str, bytes]:
    """Return the members that hold arrays: values to keep, and constants."""
    contents = {value.name[1:]: graph.arrays[value.name] for value in graph.data}
    kept = {"params": params, "state": state, "data": contents or None}
    return {
        f"{name}.safetensors": encode(arrays)
        for name, arrays in kept.items()
        if arrays is not None
    }


def explanation(parts: Sequence[Part]) -> bytes:
    """Return what was fused for every target, and why the rest was not."""
    said = {part.record.name: part.decisions for part in parts}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def memory_of(graph: Graph, parts: Sequence[Part]) -> dict[str, Any]:
    """Return how many bytes the model needs, with dimensions at their upper bounds."""
    return {
        "raw": sum(value.type.max_bytes for value in (*graph.params, *graph.data)),
        "prepared": {part.record.name: part.record.prepared_bytes for part in parts},
        "arena": {part.record.name: part.record.arena_bytes for part in parts},
    }
