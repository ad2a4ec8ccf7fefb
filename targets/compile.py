"""Compile a graph for targets, and write what comes out into an artifact."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from lxc.errors import InternalError
from lxc.ir.graph import Graph, Program
from lxc.ir.types import Array
from lxc.passes import TARGET_PIPELINE, Decision, Outcome, passes_named, run_passes
from lxc.passes.choices import DEFAULT, Choices
from lxc.passes.decision_list import decisions_to_json
from lxc.runtime.artifact import write
from lxc.runtime.checkpoint import encode
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature, identifier
from lxc.targets.buffer_table import signature_of
from lxc.targets.lint import check_code, uses_tiles
from lxc.targets.llvm.c_abi import render
from lxc.targets.llvm.entry import Lowered, lower
from lxc.targets.llvm.link import (
    compiler_version,
    link_shared,
    needed_glibc,
    stripped,
    support_object,
)
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain
from lxc.targets.report import describe, kernel_records, tuning_decisions
from lxc.targets.target import Target
from lxc.targets.tvm_build import COMPILE_LOCK, Generated, generate, llvm_version
from lxc.targets.tvm_functions import exported, function_name
from lxc.targets.tvm_packages import PINNED

Kind = Literal["lxir", "tir", "llvm", "asm", "obj"]


@dataclass(frozen=True)
class CompiledTarget:
    """A model as a library for one target, with everything that an artifact says of it."""

    target: Target
    signature: Signature
    program: Program
    generated: Generated
    library: bytes
    object_bytes: bytes
    header: str
    record: TargetRecord
    decisions: tuple[Decision, ...]

    @property
    def members(self) -> dict[str, bytes]:
        """The members of an artifact that hold the code."""
        folder = f"code/{self.target.name}"
        return {
            f"{folder}/model.so": self.library,
            f"{folder}/model.o": self.object_bytes,
            f"{folder}/model.h": self.header.encode("ascii"),
        }


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
    compiler = compiler_for(target.triple) if compiler == "cc" else compiler
    outcome, program = target_program(graph, target, choices)
    signature = signature_of(graph, name=name, mode=mode or graph.mode)
    with ThreadPoolExecutor(1) as beside:
        support = beside.submit(support_object, find_toolchain(compiler))
        lowered, generated = machine_code(program, target, signature.name, choices)
        support.result()
    sources = render(
        signature.name,
        signature,
        lowered.prepared_bytes,
        lowered.arena_bytes,
        uses_tiles=uses_tiles(generated.llvm),
    )
    code = stripped(generated.object_bytes, compiler=compiler)
    library = link_shared(code, sources, signature.name, compiler=compiler)
    record = TargetRecord(
        name=target.name,
        triple=target.triple,
        features=target.features,
        prepared_bytes=lowered.prepared_bytes,
        arena_bytes=lowered.arena_bytes,
        glibc=needed_glibc(library, compiler=compiler),
        kernels=kernel_records(lowered.calls),
    )
    return CompiledTarget(
        target,
        signature,
        program,
        generated,
        library,
        code,
        sources.header,
        record,
        (*outcome.decisions, *tuning_decisions(lowered.calls)),
    )


def target_program(
    graph: Graph, target: Target, choices: Choices = DEFAULT
) -> tuple[Outcome, Program]:
    """Return the program that a target's passes make of a graph, and how."""
    passes = passes_named(TARGET_PIPELINE)
    outcome = run_passes(graph, passes, machine=target.machine, choices=choices)
    if not isinstance(outcome.program, Program):
        raise InternalError("compilation", "the passes did not split the graph")
    return outcome, outcome.program


def machine_code(
    program: Program, target: Target, name: str, choices: Choices = DEFAULT
) -> tuple[Lowered, Generated]:
    """Return the code of a planned program."""
    with COMPILE_LOCK:
        lowered = lowered_program(program, target, name, choices)
        try:
            generated = generate(lowered.functions, target.processor)
        except InternalError as failure:
            raise blamed(lowered, target, failure) from failure
        check_code(generated.llvm)
    return lowered, generated


def lowered_program(
    program: Program, target: Target, name: str, choices: Choices = DEFAULT
) -> Lowered:
    """Return the functions of a planned program, before they are machine code."""
    with COMPILE_LOCK:
        return lower(program, name, target.machine, choices.records)


def blamed(lowered: Lowered, target: Target, failure: InternalError) -> InternalError:
    """Return a failure of code generation with the node whose kernel shows it alone."""
    for call in lowered.calls:
        name = call.kernel.name
        alone = {function_name(name): exported(call.kernel.function, name)}
        try:
            generate(alone, target.processor)
        except InternalError as repeated:
            said = str(repeated).partition("\n")[0].partition("code generation: ")[2]
            return InternalError(f"the code for {describe(call.node)}", said)
    return failure


def emit(
    graph: Graph,
    target: Target,
    kind: Kind,
    *,
    name: str = "model",
    choices: Choices = DEFAULT,
) -> bytes:
    """Return one stage of compiling a tensor-level graph: text, or an object file."""
    _, program = target_program(graph, target, choices)
    if kind == "lxir":
        return str(program).encode()
    _, generated = machine_code(program, target, identifier(name), choices)
    if kind == "obj":
        return generated.object_bytes
    texts = {"tir": generated.tir, "llvm": generated.llvm, "asm": generated.assembly}
    return texts[kind].encode()


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
) -> bytes:
    """Return an artifact with a tensor-level graph compiled for every target.

    `traced` is the layer-level graph to keep. `params` and `state` are values to keep, by
    tree path. `versions` is added to those of the tools.
    """
    compiled = [
        compile_target(
            graph, target, name=name, mode=mode, choices=choices, compiler=compiler
        )
        for target in targets
    ]
    members = {key: code for one in compiled for key, code in one.members.items()}
    members["ir/traced.lxir"] = str(traced or graph).encode()
    members["explain.json"] = explanation(compiled)
    members |= values_of(graph, params, state)
    tools = {**PINNED, "llvm": str(llvm_version())}
    compilers = {
        compiler_for(one.triple) if compiler == "cc" else compiler: None for one in targets
    }
    tools["compiler"] = "; ".join(map(compiler_version, compilers))
    return write(
        None,
        signature=compiled[0].signature,
        targets=[one.record for one in compiled],
        members=members,
        options=options or {},
        versions={**tools, **(versions or {})},
        memory=memory_of(graph, compiled),
    )


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


def explanation(compiled: Sequence[CompiledTarget]) -> bytes:
    """Return what was fused for every target, and why the rest was not."""
    said = {one.target.name: decisions_to_json(one.decisions) for one in compiled}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def memory_of(graph: Graph, compiled: Sequence[CompiledTarget]) -> dict[str, Any]:
    """Return how many bytes the model needs, with dimensions at their upper bounds."""
    return {
        "raw": sum(value.type.max_bytes for value in (*graph.params, *graph.data)),
        "prepared": {one.target.name: one.record.prepared_bytes for one in compiled},
        "arena": {one.target.name: one.record.arena_bytes for one in compiled},
    }
