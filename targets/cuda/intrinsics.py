"""What kernels for cards use beside the loop language: barriers, shuffles, matrix units.

Each is declared once: its C function, the CUDA text of it, who executes it together, and
what it means in NumPy. Kernels call nothing else by name.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from lxc.targets.cuda import matrix_meanings, meanings, number_meanings
from lxc.targets.cuda.intrinsic import Intrinsic


def assembly(
    text: str, outputs: str = "", inputs: str = "", *, memory: bool = False
) -> str:
    """Return the C statement of an instruction in PTX."""
    touched = ' : "memory"' if memory else ""
    return f'asm volatile("{text};" : {outputs} : {inputs}{touched});'


SHARED_ADDRESS = "uint32_t at = (uint32_t)__cvta_generic_to_shared({name});\n"

AT = '"l"(at)'
COUNT_ONE = assembly("red.release.gpu.global.add.u32 [%0], 1", "", AT, memory=True)
LOOK = assembly("ld.acquire.gpu.global.u32 %0, [%1]", '"=r"(found)', AT, memory=True)

# Barriers.

BARRIER = Intrinsic(
    "void lxc_barrier()", ((80, "__syncthreads();"),), "block", meanings.nothing
)
WARP_BARRIER = Intrinsic(
    "void lxc_warp_barrier()", ((80, "__syncwarp();"),), "warp", meanings.nothing
)

# A block that waits for others only goes on if the card holds all blocks at once.
GRID_BARRIER = Intrinsic(
    "void lxc_grid_barrier(void *counter, uint32_t count)",
    (
        (
            80,
            "__syncthreads();\n"
            "if (threadIdx.x == 0) {\n"
            "    uint32_t found;\n"
            "    uint64_t at = __cvta_generic_to_global(counter);\n"
            f"    {COUNT_ONE}\n"
            "    do {\n"
            f"        {LOOK}\n"
            "    } while ((int32_t)(found - count) < 0);\n"
            "}\n"
            "__syncthreads();",
        ),
    ),
    "grid",
    meanings.grid_barrier,
)

# What the lanes of a warp tell each other.

SHUFFLE_XOR = Intrinsic(
    "template <typename T> T lxc_shuffle_xor(T value, int lanes)",
    ((80, "return __shfl_xor_sync(0xffffffffu, value, lanes);"),),
    "warp",
    meanings.shuffle_xor,
)
ANY_LANE = Intrinsic(
    "int32_t lxc_any_lane(int32_t condition)",
    ((80, "return __any_sync(0xffffffffu, condition);"),),
    "warp",
    meanings.any_lane,
)

# Memory: 16 bytes at once, which lie at a multiple of 16.

LOAD_16 = Intrinsic(
    "void lxc_load_16(void *registers, const void *memory)",
    ((80, "uint4 v = *(const uint4 *)memory;\n__builtin_memcpy(registers, &v, 16);"),),
    "thread",
    meanings.load_16,
)
STORE_16 = Intrinsic(
    "void lxc_store_16(void *memory, const void *registers)",
    ((80, "uint4 v;\n__builtin_memcpy(&v, registers, 16);\n*(uint4 *)memory = v;"),),
    "thread",
    meanings.store_16,
)


def copy_later(size: int, kind: str) -> Intrinsic:
    """Return the copy of some bytes from global to shared memory that goes on by itself.

    It writes zeros where its condition is zero, and then does not read.
    """
    text = f"cp.async.{kind}.shared.global [%0], [%1], {size}, %2"
    inputs = f'"r"(at), "l"(__cvta_generic_to_global(from)), "r"(condition ? {size} : 0)'
    body = SHARED_ADDRESS.format(name="to") + assembly(text, "", inputs, memory=True)
    return Intrinsic(
        f"void lxc_copy_{size}_later(void *to, const void *from, int32_t condition)",
        ((80, body),),
        "thread",
        meanings.copy_later(size),
    )


COPY_16_LATER = copy_later(16, "cg")
COPY_8_LATER = copy_later(8, "ca")
COPY_4_LATER = copy_later(4, "ca")
CLOSE_COPIES = Intrinsic(
    "void lxc_close_copies()",
    ((80, assembly("cp.async.commit_group", memory=True)),),
    "thread",
    meanings.close_copies,
)
MOST_GROUPS = 7
"""Groups of copies that may still go on after a wait; the instruction has the number."""


def wait_for_groups() -> str:
    """Return the C statements that choose the instruction; a known number leaves one."""
    waits = [
        assembly(f"cp.async.wait_group {left}", memory=True)
        for left in range(MOST_GROUPS + 1)
    ]
    cases = [f"    case {left}: {text} break;" for left, text in enumerate(waits) if left]
    return "\n".join(["switch (groups) {", *cases, f"    default: {waits[0]}", "}"])


WAIT_COPIES = Intrinsic(
    "void lxc_wait_copies(int32_t groups)",
    ((80, wait_for_groups()),),
    "thread",
    meanings.wait_copies,
)

# Fragments of matrices, as the lanes of a warp hold them.

FOUR = ", ".join(f'"=r"(to[{register}])' for register in range(4))


def load_matrices(name: str, kind: str, meaning: Callable[..., Any]) -> Intrinsic:
    """Return the load of four matrices of eight rows of 16 bytes; a lane names one row."""
    text = f"ldmatrix.sync.aligned.m8n8.x4{kind}.shared.b16 {{%0, %1, %2, %3}}, [%4]"
    body = SHARED_ADDRESS.format(name="row") + assembly(text, FOUR, '"r"(at)', memory=True)
    head = f"void {name}(uint32_t *to, const void *row)"
    return Intrinsic(head, ((80, body),), "warp", meaning)


LOAD_MATRICES = load_matrices("lxc_load_matrices", "", matrix_meanings.load_matrices)
LOAD_MATRICES_TURNED = load_matrices(
    "lxc_load_matrices_turned", ".trans", matrix_meanings.load_matrices_turned
)


def multiply(name: str, shape: str, dtype: str, x: int, y: int, meaning: Any) -> Intrinsic:
    """Return the product of fragments of `x` and `y` registers, added to a third one."""
    numbers = iter(range(4 + x + y))
    groups = [", ".join(f"%{next(numbers)}" for _ in range(count)) for count in (4, x, y)]
    sums, first, second = (f"{{{group}}}" for group in groups)
    text = (
        f"mma.sync.aligned.{shape}.row.col.f32.{dtype}.{dtype}.f32 "
        f"{sums}, {first}, {second}, {sums}"
    )
    outputs = ", ".join(f'"+f"(sums[{register}])' for register in range(4))
    inputs = ", ".join(
        [f'"r"(x[{register}])' for register in range(x)]
        + [f'"r"(y[{register}])' for register in range(y)]
    )
    head = f"void {name}(float *sums, const uint32_t *x, const uint32_t *y)"
    return Intrinsic(head, ((80, assembly(text, outputs, inputs)),), "warp", meaning)


MULTIPLY_BF16 = multiply(
    "lxc_multiply_bf16", "m16n8k16", "bf16", 4, 2, matrix_meanings.multiply_bf16
)
MULTIPLY_F16 = multiply(
    "lxc_multiply_f16", "m16n8k16", "f16", 4, 2, matrix_meanings.multiply_f16
)
MULTIPLY_TF32 = multiply(
    "lxc_multiply_tf32", "m16n8k8", "tf32", 4, 2, matrix_meanings.multiply_tf32
)

# Numbers.

MULTIPLY_ADD = Intrinsic(
    "template <typename T> T lxc_multiply_add(T x, T y, T z)",
    ((80, "return fma(x, y, z);"),),
    "thread",
    number_meanings.multiply_add,
    pure=True,
)
# The assembler makes one instruction of a product and a sum, even through an empty `asm`,
# but not of a sum that says how it rounds. Adding -0 changes no number.
SETTLED = Intrinsic(
    "template <typename T> T lxc_settled(T value)",
    (
        (
            80,
            "if constexpr (sizeof(T) == 4) "
            'asm("add.rn.f32 %0, %0, 0f80000000;" : "+f"(value));\n'
            'else asm("add.rn.f64 %0, %0, 0d8000000000000000;" : "+d"(value));\n'
            "return value;",
        ),
    ),
    "thread",
    number_meanings.settled,
    pure=True,
)
TO_TF32 = Intrinsic(
    "uint32_t lxc_to_tf32(float x)",
    (
        (
            80,
            'uint32_t y;\nasm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));\nreturn y;',
        ),
    ),
    "thread",
    number_meanings.to_tf32,
    pure=True,
)


def split(name: str, grown: str, least: str, body: str, meaning: Any) -> Intrinsic:
    """Return what splits two numbers that are not below 0 into pairs of a half type.

    `high` are their upper digits and `low` those of what is left, rounded towards zero. No
    part of a number above 0 is 0, so that infinity times each of them is infinity.
    """
    text = f"""
float a = x{grown}, b = y{grown};
float u = a > 0.0f ? fmaxf(a, {least}) : a, v = b > 0.0f ? fmaxf(b, {least}) : b;
float p, q;
{body.format(to="*high")}
u = a > 0.0f ? fmaxf(u - p, {least}) : u - p;
v = b > 0.0f ? fmaxf(v - q, {least}) : v - q;
{body.format(to="*low")}"""
    head = f"void {name}(uint32_t *high, uint32_t *low, float x, float y)"
    return Intrinsic(head, ((80, text),), "thread", meaning)


SPLIT_BF16 = split(
    "lxc_split_bf16",
    "",
    "1.17549435e-38f",
    "p = __uint_as_float(__float_as_uint(u) & 0xffff0000u);\n"
    "q = __uint_as_float(__float_as_uint(v) & 0xffff0000u);\n"
    "{to} = __float_as_uint(p) >> 16 | __float_as_uint(q);",
    number_meanings.split_bf16,
)
SPLIT_F16 = split(
    "lxc_split_f16",
    " * 32768.0f",
    "5.9604645e-8f",
    'asm("{{ .reg .b16 l, h; cvt.rz.f16x2.f32 %0, %4, %3; mov.b32 {{l, h}}, %0; "\n'
    '    "cvt.f32.f16 %1, l; cvt.f32.f16 %2, h; }}"\n'
    '    : "=&r"({to}), "=&f"(p), "=&f"(q) : "f"(u), "f"(v));',
    number_meanings.split_f16,
)

INTRINSICS = (
    *(BARRIER, WARP_BARRIER, GRID_BARRIER),
    *(SHUFFLE_XOR, ANY_LANE),
    *(LOAD_16, STORE_16, COPY_16_LATER, COPY_8_LATER, COPY_4_LATER),
    *(CLOSE_COPIES, WAIT_COPIES),
    *(LOAD_MATRICES, LOAD_MATRICES_TURNED, MULTIPLY_BF16, MULTIPLY_F16, MULTIPLY_TF32),
    *(MULTIPLY_ADD, SETTLED, TO_TF32, SPLIT_BF16, SPLIT_F16),
)


def intrinsics_of(source: str) -> tuple[Intrinsic, ...]:
    """Return those that the source of kernels calls."""
    called = set(re.findall(r"\b(lxc_\w+)\(", source))
    return tuple(one for one in INTRINSICS if one.name in called)


def definitions(used: Iterable[Intrinsic]) -> str:
    """Return the CUDA text that stands before kernels that call some of them."""
    return "\n\n".join(one.source for one in used)
