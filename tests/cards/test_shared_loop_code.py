"""The code of loops that blocks share: weights that are brought take no registers else."""

from lxc import nn
from lxc.targets import TARGETS
from lxc.targets.compile import target_program
from lxc.targets.cuda.architectures import SM_90
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.grid_kernels import make_grid_kernel
from lxc.targets.cuda.images import Image, usages
from lxc.targets.cuda.templates.recurrence.grid.plan import GridLoop, grid_loop_of
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.limits import check_fits
from tests.cards.test_shared_loops import of_cell


def test_chains_that_are_filled_up_with_zeros_fit() -> None:
    _, program = target_program(of_cell(nn.LSTMCell(8, 260), 5), TARGETS["cuda"])
    (loop,) = [node for node in program.run.nodes if node.op.name == "scan"]
    plan = grid_loop_of(loop)
    assert isinstance(plan, GridLoop)
    kernel = make_grid_kernel("loop", plan, program.run.dims)
    source = device_source({"loop": kernel.function}).whole
    content, said = find_device_compiler().compile(source, SM_90)
    check_fits(kernel, Image(SM_90, content, usages(said)))
