"""The machine code of a bundle: what `lxc compile` makes for a target, not yet linked."""

from dataclasses import dataclass

from lxc.errors import LxcError
from lxc.ir.graph import Graph, Program
from lxc.passes.choices import DEFAULT, Choices
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature
from lxc.targets.buffer_table import signature_of
from lxc.targets.compile import linker_for, machine_code, target_program, tools_with
from lxc.targets.lint import uses_tiles
from lxc.targets.llvm.link import stripped
from lxc.targets.part import Part, Parts, description_of
from lxc.targets.report import kernel_records
from lxc.targets.target import Target

OBJECT = "model.o"
USES_TILES = "uses_tiles"


@dataclass(frozen=True)
class BundleCode:
    """A model as an object for one target, and what linking it needs to know."""

    target: Target
    signature: Signature
    program: Program
    object_bytes: bytes
    prepared_bytes: int
    arena_bytes: int
    uses_tiles: bool
    by_tiles: bool
    compiler: str


def bundle_code(
    graph: Graph,
    target: Target,
    *,
    name: str,
    mode: str,
    choices: Choices = DEFAULT,
    compiler: str = "cc",
    kept: Parts | None = None,
) -> BundleCode:
    """Return the code of a tensor-level graph for one target, from `kept` if it is there.

    `by_tiles` of it tells whether a convolution goes by Winograd's algorithm.
    """
    check_target(target)
    compiler = linker_for(target, compiler)
    _, program = target_program(graph, target, choices)
    signature = signature_of(graph, name=name, mode=mode)
    # A library and an object alone are kept apart.
    wanted = description_of(
        graph,
        target,
        choices,
        name=name,
        mode=f"{mode}, an object alone",
        tools=tools_with(target, compiler),
    )
    part = kept.find(wanted) if kept is not None else None
    if part is None:
        part = object_part(program, target, signature.name, choices, compiler)
        if kept is not None:
            kept.keep(wanted, part)
    return code_from(part, target, signature, program, compiler)


def code_from(
    part: Part, target: Target, signature: Signature, program: Program, compiler: str
) -> BundleCode:
    """Return the code of a program from its object, which `object_part` made."""
    algorithms = [str(kernel.get("algorithm", "")) for kernel in part.record.kernels]
    return BundleCode(
        target=target,
        signature=signature,
        program=program,
        object_bytes=part.code[OBJECT],
        prepared_bytes=part.record.prepared_bytes,
        arena_bytes=part.record.arena_bytes,
        uses_tiles=bool(part.decisions[USES_TILES]),
        by_tiles=any(one.startswith("winograd") for one in algorithms),
        compiler=compiler,
    )


def object_part(
    program: Program, target: Target, name: str, choices: Choices, compiler: str
) -> Part:
    """Return a program's object file, and what linking it needs to know."""
    code = machine_code(program, target, name, choices)
    record = TargetRecord(
        name=target.name,
        triple=target.triple,
        features=target.features,
        prepared_bytes=code.lowered.prepared_bytes,
        arena_bytes=code.lowered.arena_bytes,
        kernels=kernel_records(code.lowered.calls, code.facts),
    )
    stripped_object = stripped(code.stage("obj"), compiler=compiler)
    told = {USES_TILES: uses_tiles(code.stage("llvm").decode())}
    return Part(record, {OBJECT: stripped_object}, told)


def check_target(target: Target) -> None:
    """Refuse a target whose libraries need more than a processor."""
    if target.back_end.images:
        raise LxcError(
            "LXC-E0001",
            f"a C bundle is code for a processor, and {target.name} is a card",
            hint="name a processor: lxc targets lists them; or compile an artifact, "
            "whose library for cards has a C interface too",
        )
