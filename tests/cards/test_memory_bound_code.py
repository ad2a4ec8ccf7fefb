"""Machine code of rows, reductions, attention and streams: no spills, 16 bytes at once."""

import lxc
from lxc import ops
from lxc.ir.types import DType
from lxc.targets.cuda.architectures import SM_80, SM_90
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.images import usages
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.limits import MOST_SHARED_BYTES, REGISTERS_OF_A_MULTIPROCESSOR
from tests.cards.single_kernels import SingleKernel
from tests.cards.test_attention_by_matrices import attention_of
from tests.targets.test_attention import f32, graph_of
from tests.targets.test_rows import graph_of as traced
from tests.targets.test_rows import normal

FUNCTIONS = {
    "softmax": (ops.softmax, (64, 1024), "float32"),
    "half_norm": (normal, (64, 1024), "float16"),
    "long_softmax": (ops.softmax, (4, 8192), "bfloat16"),
    "sums": (lambda x: ops.sum(x, -1), (64, 1024), "float32"),
    "stream": (lambda x: ops.tanh(x) * x, (64, 1024), "float16"),
}
REGISTERS = 128
"""With so many, four blocks at least run on a multiprocessor at once."""
WIDE = "lxc_load_16"


def kernels() -> dict[str, SingleKernel]:
    """Return one kernel of every kind."""
    found = {
        name: SingleKernel(
            traced(lambda x, f=function: [f(x)], lxc.TensorSpec(shape, dtype)), name
        )
        for name, (function, shape, dtype) in FUNCTIONS.items()
    }
    for size, causal in ((64, True), (128, False)):
        types = (f32(1, 8, 512, size), *(f32(1, 4, 512, size),) * 2)
        name = f"attention_{size}"
        found[name] = SingleKernel(graph_of("cuda", types, causal=causal), name)
    return found


def test_what_is_bound_by_memory_stays_in_registers_and_moves_16_bytes() -> None:
    made = kernels()
    source = device_source({name: one.made.function for name, one in made.items()})
    _, said = find_device_compiler().compile(source.whole, SM_80)
    used = usages(said)
    for name, one in made.items():
        assert (used[name].spilled_bytes, used[name].stack_bytes) == (0, 0), name
        assert used[name].registers <= REGISTERS, name
        assert WIDE in str(one.made.function), name


def test_attention_by_matrix_units_leaves_room_for_two_blocks() -> None:
    made = {}
    for name, dtype, size in (("bf16", DType.BF16, 64), ("f16", DType.F16, 128)):
        shapes = ((1, 8, 512, size), (1, 4, 512, size), (1, 4, 512, size))
        made[name] = SingleKernel(attention_of(dtype, shapes, causal=True), name)
    source = device_source({name: one.made.function for name, one in made.items()})
    _, said = find_device_compiler().compile(source.whole, SM_90)
    used = usages(said)
    for name, one in made.items():
        assert used[name].spilled_bytes == 0, name
        taken = 2 * used[name].registers * one.made.threads
        assert taken <= REGISTERS_OF_A_MULTIPROCESSOR, name
        assert 2 * one.made.shared_bytes <= MOST_SHARED_BYTES[80], name
        assert "lxc_copy_16_later" in str(one.made.function), name
