"""The IR of an artifact compiled once more, with memory of its own for every value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxc.compilation import tensor_level
from lxc.ir.graph import Program
from lxc.ir.node import Node
from lxc.passes.choices import Choices
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import Artifact, read, write
from lxc.runtime.manifest import TargetRecord
from lxc.stored_model import DATA, stored_graph
from lxc.targets import target_named
from lxc.targets.compile import linker_for, lowered_program, target_program
from lxc.targets.llvm.link import needed_glibc
from lxc.targets.report import kernel_records
from lxc.targets.target import Request, Target
from lxc.verification.arena import spread


@dataclass(frozen=True)
class Twin:
    """What the passes make of an artifact's IR, and a model of it that forgets nothing.

    `program` is planned as for the artifact, and `is_same` says that its kernels and its
    memory are those that the artifact lists. `roomy` is the program of `model`. `records`
    are the kernels that the IR becomes, as an artifact lists them; `kernels` are the names
    by what they do, those of the artifact where they are the same but for the names.
    """

    program: Program
    is_same: bool
    roomy: Program
    model: CompiledModel
    records: Sequence[Mapping[str, Any]]
    kernels: Mapping[Node, str]


def twin_of(artifact: Artifact, record: TargetRecord, choices: Choices) -> Twin:
    """Return the twin of the code for a target."""
    target = target_named(record.name)
    _, program = target_program(tensor_level(stored_graph(artifact)), target, choices)
    lowered = lowered_program(program, target, artifact.signature.name, choices)
    records = kernel_records(lowered.calls, lambda _: {})
    sizes = lowered.prepared_bytes, lowered.arena_bytes
    is_same = sizes == (record.prepared_bytes, record.arena_bytes) and list(
        map(nameless, records)
    ) == list(map(nameless, record.kernels))
    listed = record.kernels if is_same else records
    roomy = program.replaced(prepare=spread(program.prepare), run=spread(program.run))
    return Twin(
        program,
        is_same,
        roomy,
        model_of(artifact, roomy, target, choices),
        records,
        {
            call.node: str(kernel.get("name", ""))
            for call, kernel in zip(lowered.calls, listed, strict=True)
        },
    )


def nameless(kernel: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an artifact says of a kernel without its name and what it takes of cards.

    Two calls with other constants have two kernels, and with equal ones they share one.
    """
    return {name: fact for name, fact in kernel.items() if name not in ("name", "cards")}


def model_of(
    artifact: Artifact, program: Program, target: Target, choices: Choices
) -> CompiledModel:
    """Return a planned program of an artifact's model, ready to run."""
    signature, compiler = artifact.signature, linker_for(target, "cc")
    request = Request(program, signature, choices, compiler)
    built = target.back_end.built(request, target)
    lowered = built.code.lowered
    record = TargetRecord(
        target.name,
        target.triple,
        target.features,
        lowered.prepared_bytes,
        lowered.arena_bytes,
        needed_glibc(built.library),
        images=target.back_end.images,
        driver=built.driver,
    )
    members = {record.library: built.library}
    if DATA in artifact:
        members[DATA] = artifact.read(DATA)
    encoded = write(None, signature=signature, targets=[record], members=members)
    return CompiledModel(read(encoded), at_once=False)
