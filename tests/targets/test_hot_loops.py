"""The innermost loops of generated code keep vectors in registers and call nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import lxc
from lxc import nn, ops
from lxc.ir.graph import Graph
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, Choices, passes_named, run_passes
from lxc.passes.precision import plan_of
from lxc.targets import TARGETS, Target
from lxc.targets.compile import emit
from lxc.targets.hot_loops import HotLoop, faults, hot_loops

SPILLING = """
.LBB0_1:
	xorl	%eax, %eax
.LBB0_2:
	vmovups	(%rdi,%rax), %zmm0
	vfmadd231ps	%zmm0, %zmm1, %zmm2
	vmovups	%zmm2, 64(%rsp)
	vmulps	128(%rsp), %zmm3, %zmm4
	vmovups	%zmm4, 192(%rsp,%rax)
	callq	expf@PLT
	incq	%rax
	jne	.LBB0_2
	decq	%rcx
	jne	.LBB0_1
	retq
"""

SPILLING_ON_ARM = """
.LBB0_1:
	mov	x8, xzr
.LBB0_2:
	ldr	q0, [x1, x8]
	fmla	v2.4s, v1.4s, v0.s[1]
	str	q2, [sp, #64]
	ldr	q3, [sp, #128]
	fmul	v4.2d, v3.2d, v0.2d
	stp	q4, q5, [x9, #32]
	bl	expf
	add	x8, x8, #16
	cbnz	x8, .LBB0_2
	subs	x10, x10, #1
	b.ne	.LBB0_1
	ret
"""


def test_a_planted_spill_and_a_planted_call_are_found() -> None:
    (loop,) = hot_loops(SPILLING)
    assert loop.label == ".LBB0_2"
    assert loop.arithmetic == 2
    assert loop.saved == ("vmovups\t%zmm2, 64(%rsp)",)
    assert loop.calls == ("callq\texpf@PLT",)
    assert len(faults(loop)) == 2
    (loop,) = hot_loops(SPILLING_ON_ARM, "aarch64")
    assert loop.label == ".LBB0_2"
    assert loop.arithmetic == 2
    assert loop.saved == ("str\tq2, [sp, #64]",)
    assert loop.calls == ("bl\texpf",)


RARELY_RUN = """
	testl	%eax, %eax
	je	.LBB0_2
	mulps	%xmm0, %xmm1
.LBB0_1:
	addps	%xmm0, %xmm1
	callq	tanf@PLT
	retq
.LBB0_2:
	subps	%xmm0, %xmm1
	jmp	.LBB0_1
"""


def test_a_jump_back_out_of_code_behind_a_function_is_no_loop() -> None:
    assert not hot_loops(RARELY_RUN)
    (loop,) = hot_loops(RARELY_RUN.replace("retq", "jne\t.LBB0_2"))
    assert len(faults(loop)) == 1


def dense(rows: int, inputs: int, outputs: int, activation: Any = nn.identity) -> Graph:
    return traced(nn.Dense(inputs, outputs, activation), (rows, inputs))


def traced(model: Any, shape: tuple[Any, ...]) -> Graph:
    ps, st = lxc.setup(0, model)
    spec = lxc.TensorSpec(shape, "f32")
    graph = lxc.trace(model, spec, ps, st, mode="test")
    lowered = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(lowered, Graph)
    return lowered


def first_columns(x: Any) -> Any:
    """Return products with seven columns, which no vector of a power of two covers."""
    return ops.matmul(x[:, :50], x[:, 50:57])


def image(model: Any, channels: int, size: int) -> Graph:
    return traced(model, (1, channels, size, size))


MODELS: dict[str, Callable[[], Graph]] = {
    "matrix": lambda: dense(50, 96, 130),
    "vector": lambda: dense(1, 300, 500),
    "gelu": lambda: dense(40, 64, 128, nn.gelu),
    "any batch": lambda: traced(nn.Dense(64, 96), (lxc.Dim("N", 1, 90), 64)),
    "few columns": lambda: traced(nn.WrappedFunction(first_columns), (50, 80)),
    "stem": lambda: image(nn.Conv((7, 7), 3, 64, stride=2, pad=3), 3, 64),
    "convolution": lambda: image(nn.Conv((3, 3), 64, 64, nn.relu, pad=1), 64, 20),
    "products of tiles": lambda: image(nn.Conv((3, 3), 256, 256, pad=1), 256, 14),
    "strided": lambda: image(nn.Conv((3, 3), 32, 64, stride=2, pad=1), 32, 28),
    "pointwise": lambda: image(nn.Conv((1, 1), 64, 32), 64, 14),
    "long sums": lambda: image(nn.Conv((3, 3), 256, 400, stride=2), 256, 13),
    "joined cells": lambda: image(nn.Conv((1, 1), 24, 40), 24, 9),
    "far channels": lambda: image(nn.Conv((1, 1), 96, 48, nn.relu), 96, 53),
    "far channels in lines": lambda: image(nn.Conv((1, 1), 96, 48, nn.relu), 96, 72),
    "depthwise": lambda: image(nn.Conv((3, 3), 64, 64, pad=1, groups=64), 64, 20),
    "grouped": lambda: image(nn.Conv((3, 3), 24, 24, stride=2, pad=1, groups=6), 24, 37),
    "pooling": lambda: image(nn.Chain(nn.Conv((3, 3), 32, 32), nn.MaxPool((2, 2))), 32, 18),
    "softmax": lambda: traced(nn.WrappedFunction(ops.softmax), (30, 128)),
    "tanh": lambda: traced(nn.WrappedFunction(nn.tanh), (600, 1024)),
    "tanh of any length": lambda: traced(nn.WrappedFunction(nn.tanh), (1, 100_076)),
    "layer norm": lambda: traced(nn.LayerNorm((200,)), (30, 200)),
    "lstm": lambda: traced(nn.Recurrence(nn.LSTMCell(32, 48)), (3, 10, 32)),
}


KINDS_OF_TARGETS = ("x86-64-v2", "x86-64-v3", "x86-64-v4", "neoverse-n1")
"""A target for every number of lanes and of registers."""


@pytest.mark.parametrize("level", KINDS_OF_TARGETS)
@pytest.mark.parametrize("name", MODELS)
def test_hot_loops_have_no_vectors_on_the_stack_and_no_calls(name: str, level: str) -> None:
    check(MODELS[name](), TARGETS[level], "float32")


@pytest.mark.parametrize("level", KINDS_OF_TARGETS)
@pytest.mark.parametrize(
    ("precision", "name"),
    [
        *(("int8", name) for name in ("matrix", "vector", "any batch")),
        *(("bf16", name) for name in ("matrix", "vector", "any batch", "convolution")),
    ],
)
def test_hot_loops_of_lower_precision_are_as_clean(
    precision: str, name: str, level: str
) -> None:
    check(MODELS[name](), TARGETS[level], precision)


def test_float16_is_converted_without_calls() -> None:
    spec = lxc.TensorSpec((30, 128), "f16")
    graph = lxc.trace(nn.WrappedFunction(ops.softmax), spec, {}, {}, mode="test")
    lowered = run_passes(graph, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE))).program
    assert isinstance(lowered, Graph)
    loops = hot_loops(emit(lowered, TARGETS["x86-64-v2"], "asm").decode())
    assert len(loops) > 1
    assert not [loop.calls for loop in loops if loop.calls]


def check(graph: Graph, target: Target, precision: str) -> None:
    choices = Choices(precision=plan_of(precision))
    assembly = emit(graph, target, "asm", choices=choices).decode()
    loops = hot_loops(assembly, target.architecture)
    assert loops
    assert not [fault for loop in loops for fault in faults(loop)]


def test_a_tile_of_a_product_multiplies_and_adds_in_one_instruction() -> None:
    loops = hot_loops(emit(dense(50, 96, 130), TARGETS["x86-64-v4"], "asm").decode())
    largest: HotLoop = max(loops, key=lambda loop: loop.arithmetic)
    fused = [line for line in largest.lines if "vfmadd" in line]
    assert len(fused) >= 16
    assert all("%zmm" in line for line in fused)


@pytest.mark.parametrize(
    ("rows", "inputs", "lines"), [(32, 512, 3), (32, 128, 0), (300, 512, 0)]
)
def test_few_tiles_fetch_the_lines_of_large_weights_to_the_first_level_cache(
    rows: int, inputs: int, lines: int
) -> None:
    loops = hot_loops(emit(dense(rows, inputs, 640), TARGETS["x86-64-v4"], "asm").decode())
    largest = max(loops, key=lambda loop: loop.arithmetic)
    fetched = [line for line in largest.lines if "prefetcht0" in line]
    assert len(fetched) == lines
    assert not largest.saved


@pytest.mark.parametrize(("inputs", "lines"), [(4096, 4), (512, 0)])
def test_a_row_alone_fetches_large_weights_to_the_second_level_cache(
    inputs: int, lines: int
) -> None:
    loops = hot_loops(emit(dense(1, inputs, 640), TARGETS["x86-64-v4"], "asm").decode())
    largest = max(loops, key=lambda loop: loop.arithmetic)
    steps = sum("vfmadd" in line for line in largest.lines) // 4
    fetched = [line for line in largest.lines if "prefetch" in line]
    assert len(fetched) == lines * steps
    assert all("prefetcht1" in line for line in fetched)
    assert not largest.saved


@pytest.mark.parametrize("level", ["x86-64-v3", "x86-64-v4"])
@pytest.mark.parametrize("model", [(96, 48, 28), (96, 48, 53), (24, 40, 9)])
def test_cells_of_several_axes_are_stored_as_vectors(
    model: tuple[int, int, int], level: str
) -> None:
    inputs, outputs, size = model
    graph = image(nn.Conv((1, 1), inputs, outputs), inputs, size)
    assembly = emit(graph, TARGETS[level], "asm").decode()
    assert assembly.count("vfmadd") >= 12
    assert "vextractps" not in assembly


def test_what_huge_angles_take_is_jumped_over_as_a_whole() -> None:
    sine = traced(nn.WrappedFunction(ops.sin), (600, 1024))
    loops = hot_loops(emit(sine, TARGETS["x86-64-v4"], "asm").decode())
    loop = max(loops, key=lambda loop: len(loop.lines))
    (start, end) = skipped(loop)
    usual = replace(loop, lines=(*loop.lines[:start], *loop.lines[end:]))
    rare = replace(loop, lines=loop.lines[start:end])
    assert usual.arithmetic > rare.arithmetic
    assert not usual.saved
    assert not loop.calls
    assert any("vpmuludq" in line for line in rare.lines)
    assert not any("vpmuludq" in line for line in usual.lines)


def skipped(loop: HotLoop) -> tuple[int, int]:
    """Return the lines between the only jump forward in a loop and where it goes."""
    labels = {line.split(":")[0]: place for place, line in enumerate(loop.lines)}
    jumps = [
        (place, labels[found.group(1)])
        for place, line in enumerate(loop.lines)
        if (found := loop.syntax.jump.match(line)) and found.group(1) in labels
    ]
    ((start, end),) = [(start, end) for start, end in jumps if end > start]
    return start, end


@pytest.mark.parametrize("function", [ops.tanh, ops.erf])
def test_a_function_in_pieces_has_tables_in_registers_and_no_quotient(
    function: Callable[..., Any],
) -> None:
    graph = traced(nn.WrappedFunction(function), (600, 1024))
    loops = hot_loops(emit(graph, TARGETS["x86-64-v4"], "asm").decode())
    largest = max(loops, key=lambda loop: loop.arithmetic)
    taken = [line for line in largest.lines if "vpermt2ps" in line or "vpermi2ps" in line]
    assert len(taken) == 4 * 6  # Vectors, and what a piece has.
    assert not [line for line in taken if "(" in line]
    assert not [line for line in largest.lines if "vdiv" in line]


@pytest.mark.parametrize(
    ("level", "instruction", "least"),
    [("x86-64-v4-bf16", "vdpbf16ps", 16), ("x86-64-v4-amx", "tdpbf16ps", 4)],
)
@pytest.mark.parametrize("name", ["vector", "any batch", "strided"])
def test_products_in_bf16_use_the_instruction_for_them(
    name: str, level: str, instruction: str, least: int
) -> None:
    target, choices = TARGETS[level], Choices(precision=plan_of("bf16"))
    check(MODELS[name](), target, "bf16")
    loops = hot_loops(emit(MODELS[name](), target, "asm", choices=choices).decode())
    largest = max(loops, key=lambda loop: sum(instruction in line for line in loop.lines))
    used = [line for line in largest.lines if instruction in line]
    assert len(used) >= least
    assert not largest.saved
