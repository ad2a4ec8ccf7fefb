"""A machine may take zeros for the padding of convolutions that it computes in tiles."""

from dataclasses import replace

import pytest

from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.passes import passes_named, run_passes
from lxc.passes.fuse import PORTABLE

TEXT = """
graph @model lux {{
  input %x: f32[2, {inputs}, 40, 40]
  param @weight: f32[16, {each}, {taps}, 3]
  tree params = {{weight: *}}

  %0: f32[2, 16, {height}, 40] = conv(%x, @weight) {{strides = [1, 1], \
padding = [[{pad}, {pad}], [1, 1]], lhs_dilation = [{spread}, 1], rhs_dilation = [1, 1], \
groups = {groups}, weight_order = "oi"}}
  return %0
}}
"""
IN_PLACE = replace(PORTABLE, pads_in_products=True)


def ops(**changes: int) -> list[str]:
    """Return the ops behind the pass for a convolution with some numbers."""
    facts = {"inputs": 8, "taps": 3, "pad": 1, "spread": 1, "groups": 1} | changes
    facts["each"] = facts["inputs"] // facts["groups"]
    cells = 39 * facts["spread"] + 1
    facts["height"] = cells + 2 * facts["pad"] - facts["taps"] + 1
    passes = passes_named(["explicit-padding"])
    made = run_passes(parse_graph(TEXT.format(**facts)), passes, machine=IN_PLACE).program
    assert isinstance(made, Graph)
    return [node.op.name for node in made.nodes]


def test_a_kernel_that_pads_needs_no_pad() -> None:
    assert ops() == ["conv"]
    assert ops(groups=2) == ["conv"]


@pytest.mark.parametrize(
    "changes",
    [{"groups": 8}, {"spread": 2}, {"taps": 29, "pad": 14}],
    ids=["narrow groups", "spread cells", "many taps"],
)
def test_what_has_no_such_kernel_is_padded_first(changes: dict[str, int]) -> None:
    assert ops(**changes) == ["constant", "pad", "conv"]
