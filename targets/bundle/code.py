"""The machine code of a bundle: what `lxc compile` makes for a target, not yet linked."""

from dataclasses import dataclass

from lxc.errors import LxcError
from lxc.ir.graph import Graph, Program
from lxc.passes.choices import DEFAULT, Choices
from lxc.runtime.signature import Signature
from lxc.targets.buffer_table import signature_of
from lxc.targets.compile import linker_for, machine_code, target_program
from lxc.targets.lint import uses_tiles
from lxc.targets.llvm.link import stripped
from lxc.targets.target import Target


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
) -> BundleCode:
    """Return the code of a tensor-level graph for one target.

    `by_tiles` of it tells whether a convolution goes by Winograd's algorithm.
    """
    check_target(target)
    compiler = linker_for(target, compiler)
    _, program = target_program(graph, target, choices)
    signature = signature_of(graph, name=name, mode=mode)
    code = machine_code(program, target, signature.name, choices)
    lowered = code.lowered
    algorithms = (call.kernel.algorithm for call in lowered.calls)
    return BundleCode(
        target=target,
        signature=signature,
        program=program,
        object_bytes=stripped(code.stage("obj"), compiler=compiler),
        prepared_bytes=lowered.prepared_bytes,
        arena_bytes=lowered.arena_bytes,
        uses_tiles=uses_tiles(code.stage("llvm").decode()),
        by_tiles=any(name.startswith("winograd") for name in algorithms),
        compiler=compiler,
    )


def check_target(target: Target) -> None:
    """Refuse a target whose libraries need more than a processor."""
    if target.back_end.images:
        raise LxcError(
            "LXC-E0001",
            f"a C bundle is code for a processor, and {target.name} is a card",
            hint="name a processor: lxc targets lists them; or compile an artifact, "
            "whose library for cards has a C interface too",
        )
