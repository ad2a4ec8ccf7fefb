"""The back end for cards: kernels as images, and entries that launch them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxc.errors import LxcError
from lxc.ir.graph import Program
from lxc.passes import CARD_PIPELINE
from lxc.passes.choices import Choices
from lxc.passes.decision import Decision
from lxc.runtime.cards.machine import Cards as FoundCards
from lxc.runtime.cards.machine import cuda_version, find_cards, oldest_driver, runs_on
from lxc.targets.cuda import support
from lxc.targets.cuda.architectures import Architecture
from lxc.targets.cuda.device_code import DeviceSource, device_source
from lxc.targets.cuda.entry import LoweredForCard, lower_for_card
from lxc.targets.cuda.face import KernelRow, render_for_card
from lxc.targets.cuda.images import TOOLKIT, Image, ImageMaker
from lxc.targets.cuda.loop_decisions import loop_decisions
from lxc.targets.cuda.split_decisions import split_decisions
from lxc.targets.cuda.toolchain import disassembled
from lxc.targets.llvm.compiled import LLVM
from lxc.targets.llvm.link import link_shared, stripped, support_object
from lxc.targets.llvm.toolchain import find_toolchain
from lxc.targets.target import Built, Request, Stage, Target
from lxc.targets.tvm_build import COMPILE_LOCK, Generated, generate

STAGES = (
    Stage("tir", "tir.tir"),
    Stage("cuda", "cuda.cu"),
    Stage("ptx", "text.ptx"),
    Stage("cubin", "image.cubin", is_dumped=False),
    Stage("sass", "assembly.sass", is_dumped=False),
    Stage("obj", "model.o", is_dumped=False),
)

OLDEST_CUDA = 12000
"""The version of the oldest compiler that knows all kinds of card: 12.0."""


@dataclass(frozen=True)
class CardCode:
    """The kernels of a program for cards, and the code that launches them."""

    lowered: LoweredForCard
    entries: Generated
    source: DeviceSource
    architectures: tuple[Architecture, ...]
    maker: ImageMaker

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """The kernels for every kind of card."""
        return tuple(self.maker.images(self.source, self.architectures))

    def stage(self, kind: str) -> bytes:
        """Return one of the stages."""
        if kind == "obj":
            return self.entries.object_bytes
        if kind == "tir":
            return f"{self.source.tir}\n{self.entries.tir}".encode()
        if kind == "cuda":
            return self.source.whole.encode()
        if kind == "ptx":
            (text,) = self.maker.images(self.source, [text_of(self.architectures)])
            return text.content
        (image,) = self.maker.images(self.source, [only_card(self.architectures, kind)])
        return image.content if kind == "cubin" else disassembled(image.content).encode()

    def facts(self, kernel: str) -> Mapping[str, Any]:
        """Return what a kernel takes of every kind of card, its launch included."""
        given = {one.name: one.shared_bytes for one in self.lowered.library.kernels}
        found = {
            image.architecture.name: image.usage[kernel].with_shared(given[kernel])
            for image in self.images
            if kernel in image.usage
        }
        return {"cards": {name: taken.to_json() for name, taken in found.items()}}


@dataclass(frozen=True)
class Cards:
    """Makes libraries whose kernels run on cards of some kinds.

    `maker` makes the images: NVIDIA's compiler by default.
    """

    architectures: tuple[Architecture, ...]
    maker: ImageMaker = TOOLKIT
    pipeline: tuple[str, ...] = CARD_PIPELINE
    stages: tuple[Stage, ...] = STAGES

    @property
    def images(self) -> tuple[str, ...]:
        """The kinds of card that a library has code for."""
        return tuple(one.name for one in self.architectures)

    def decisions(self, program: Program) -> Sequence[Decision]:
        """Return how loops and long sums of a planned program are computed."""
        halves, dims = (program.prepare, program.run), program.run.dims
        loops = [one for half in halves for one in loop_decisions(half.nodes)]
        with COMPILE_LOCK:
            sums = [one for half in halves for one in split_decisions(half.nodes, dims)]
        return [*loops, *sums]

    def lowered(
        self, program: Program, target: Target, name: str, choices: Choices
    ) -> LoweredForCard:
        """Return the kernels and entries of a planned program."""
        with COMPILE_LOCK:
            return lower_for_card(program, name, target.machine)

    def code(
        self, program: Program, target: Target, name: str, choices: Choices
    ) -> CardCode:
        """Return the code of a planned program."""
        with COMPILE_LOCK:
            lowered = self.lowered(program, target, name, choices)
            entries = generate(lowered.functions, target.processor)
            kernels = {one.name: one.function for one in lowered.library.kernels}
            source = device_source(kernels)
        return CardCode(lowered, entries, source, self.architectures, self.maker)

    def built(self, request: Request, target: Target) -> Built:
        """Return the library of a planned program."""
        name, compiler = request.signature.name, request.compiler
        toolchain = find_toolchain(compiler)
        code = self.code(request.program, target, name, request.choices)
        with ThreadPoolExecutor(1) as beside:
            shared = beside.submit(support_object, toolchain, support.source())
            images = code.images
            shared.result()
        lowered = code.lowered
        sizes = lowered.prepared_bytes, lowered.arena_bytes
        rows = [
            KernelRow(one.name, one.threads, one.shared_bytes, meets=one.blocks > 0)
            for one in lowered.library.kernels
        ]
        sources = render_for_card(name, request.signature, *sizes, rows, images)
        made = stripped(code.entries.object_bytes, compiler=compiler)
        library = link_shared(made, sources, name, compiler=compiler)
        return Built(code, library, made, sources.header, self.maker.driver())

    def tools(self, compiler: str) -> Mapping[str, str]:
        """Return what the C compiler and the one for cards say they are."""
        return {**LLVM.tools(compiler), "cuda": self.maker.version()}

    def lacks_to_link(self, target: Target) -> Mapping[str, str]:
        """Return what this machine lacks to make a library, and how to get each of it."""
        return {**LLVM.lacks_to_link(target), **self.maker.lacks()}

    def lacks_to_run(self, target: Target) -> list[str]:
        """Return what this machine lacks to run a library."""
        lacks = lacks_of(find_cards(None), self.images, self.made_with())
        return [*LLVM.lacks_to_run(target), *lacks]

    def made_with(self) -> int:
        """Return the version of CUDA of the compiler for cards, or that of the oldest."""
        try:
            return self.maker.driver()
        except LxcError:
            return OLDEST_CUDA


def lacks_of(cards: FoundCards, images: Sequence[str], made_with: int) -> list[str]:
    """Return what is missing beside some cards so that one of them runs one of the images.

    `made_with` is the version of CUDA that made them.
    """
    fitting = [
        image
        for image in images
        if any(runs_on(image, one) for one in cards.capabilities.values())
    ]
    if not fitting:
        return [f"a card for {images[0]}" if len(images) == 1 else "a card"]
    needed = min(oldest_driver(image, made_with) for image in fitting)
    if cards.version >= needed:
        return []
    return [f"a driver for CUDA {cuda_version(needed)} or newer"]


def text_of(architectures: Sequence[Architecture]) -> Architecture:
    """Return the kind of text that a driver can compile for the oldest of some cards."""
    first = architectures[0]
    return Architecture(first.virtual, first.capability, "", first.exact, is_text=True)


def only_card(architectures: Sequence[Architecture], kind: str) -> Architecture:
    """Return the one kind of card that there is, or refuse to choose."""
    cards = [one for one in architectures if not one.is_text]
    if len(cards) == 1:
        return cards[0]
    raise LxcError(
        "LXC-E0001",
        f"--emit {kind} shows one kind of card at a time",
        actual=", ".join(one.name for one in cards),
        hint="--target cuda-sm90",
    )
