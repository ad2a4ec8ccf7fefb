"""The back end for processors: kernels and entries in one object file."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lxc.errors import InternalError, LxcError
from lxc.ir.graph import Program
from lxc.passes import TARGET_PIPELINE
from lxc.passes.choices import Choices
from lxc.passes.decision import Decision
from lxc.runtime.features import this_machine
from lxc.targets.lint import check_code, uses_tiles
from lxc.targets.llvm import support
from lxc.targets.llvm.c_abi import Sources, render
from lxc.targets.llvm.entry import Lowered, lower
from lxc.targets.llvm.generic_kernels import generic_decisions
from lxc.targets.llvm.link import compiler_version, link_shared, stripped, support_object
from lxc.targets.llvm.reads import unread_params
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain
from lxc.targets.report import describe
from lxc.targets.target import Built, Request, Stage, Target
from lxc.targets.tvm_build import COMPILE_LOCK, Generated, generate
from lxc.targets.tvm_functions import exported, function_name

STAGES = (
    Stage("tir", "tir.tir"),
    Stage("llvm", "llvm.ll"),
    Stage("asm", "assembly.s"),
    Stage("obj", "model.o", is_dumped=False),
)


@dataclass(frozen=True)
class ProcessorCode:
    """The machine code of a program for a processor."""

    lowered: Lowered
    generated: Generated

    def stage(self, kind: str) -> bytes:
        """Return one of the stages."""
        made = self.generated
        if kind == "obj":
            return made.object_bytes
        if kind == "tir":
            return made.tir.encode()
        return (made.llvm if kind == "llvm" else made.assembly).encode()

    def facts(self, kernel: str) -> Mapping[str, Any]:
        """Return nothing: what holds for all targets is all there is to say."""
        return {}


@dataclass(frozen=True)
class Processors:
    """Makes libraries whose kernels run on the processor that calls them."""

    pipeline: tuple[str, ...] = TARGET_PIPELINE
    stages: tuple[Stage, ...] = STAGES
    images: tuple[str, ...] = ()

    def decisions(self, program: Program) -> Sequence[Decision]:
        """Return which kernels no generator shapes; all else is decided by passes."""
        halves = (program.prepare, program.run)
        return [one for half in halves for one in generic_decisions(half.nodes)]

    def lowered(
        self, program: Program, target: Target, name: str, choices: Choices
    ) -> Lowered:
        """Return the functions of a planned program."""
        with COMPILE_LOCK:
            return lower(program, name, target.machine, choices.records)

    def code(
        self, program: Program, target: Target, name: str, choices: Choices
    ) -> ProcessorCode:
        """Return the code of a planned program."""
        with COMPILE_LOCK:
            lowered = self.lowered(program, target, name, choices)
            try:
                generated = generate(lowered.functions, target.processor)
            except InternalError as failure:
                raise blamed(lowered, target, failure) from failure
            check_code(generated.llvm)
        return ProcessorCode(lowered, generated)

    def built(self, request: Request, target: Target) -> Built:
        """Return the library of a planned program."""
        name, compiler = request.signature.name, request.compiler
        toolchain = find_toolchain(compiler)
        with ThreadPoolExecutor(1) as beside:
            # A process that links its first model compiles this beside the model.
            shared = beside.submit(support_object, toolchain, support.source())
            code = self.code(request.program, target, name, request.choices)
            shared.result()
        sources = self.sources(request, code)
        made = stripped(code.generated.object_bytes, compiler=compiler)
        library = link_shared(made, sources, name, compiler=compiler)
        return Built(code, library, made, sources.header)

    def sources(self, request: Request, code: ProcessorCode) -> Sources:
        """Return the C text of a library."""
        return render(
            request.signature.name,
            request.signature,
            code.lowered.prepared_bytes,
            code.lowered.arena_bytes,
            uses_tiles=uses_tiles(code.generated.llvm),
            unread=unread_params(request.program),
        )

    def tools(self, compiler: str) -> Mapping[str, str]:
        """Return what the C compiler says it is."""
        return {"compiler": compiler_version(compiler)}

    def lacks_to_link(self, target: Target) -> Mapping[str, str]:
        """Return what this machine lacks to make a library, and how to get each of it."""
        compiler = compiler_for(target.triple)
        try:
            find_toolchain(compiler)
        except LxcError as missing:
            name = "a C compiler" if compiler == "cc" else compiler
            return {name: str(missing.hint)}
        return {}

    def lacks_to_run(self, target: Target) -> list[str]:
        """Return what this machine lacks to run a library."""
        here = this_machine()
        if target.architecture != here.architecture:
            return [f"the architecture {target.architecture}"]
        return [feature for feature in target.features if feature not in here.features]


LLVM = Processors()


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
