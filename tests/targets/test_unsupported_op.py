"""An op that a target has no code for is refused by name, with the layer that uses it."""

import pytest

from lxc.errors import LxcError
from lxc.ir.parser import parse_graph
from lxc.targets import TARGETS
from lxc.targets.llvm.kernel import make_kernel

TEXT = """
graph @m lux {
  input %x: f32[2]
  %0: f32[2] = exp(%x) at layer_1, layer_2
  return %0
}
"""


def test_an_op_without_code_is_named_with_its_layer() -> None:
    (node,) = parse_graph(TEXT).nodes
    machine = TARGETS["x86-64-v2"].machine
    with pytest.raises(LxcError) as caught:
        make_kernel("k", node, (), machine, noalias=False)
    assert str(caught.value) == (
        "error[LXC-E0304]: this target has no code for exp\n"
        "  layer:    layer_1, layer_2\n"
        "  op:       exp"
    )
    assert caught.value.exit_status == 4
