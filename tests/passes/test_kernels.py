"""The form of kernels is checked: each way to break it is found."""

import pytest

from lxc.ir.parser import parse_graph
from lxc.passes.check_kernels import kernel_fault

VIEW = "{lhs_batch = [], rhs_batch = [], lhs_contract = [1], rhs_contract = [0]}"
WINDOW = '{kind = "max", window = [1, 2], strides = [1, 1], padding = [[0, 0], [0, 0]]}'
CASES = {
    "it is not a kernel": "%0: f32[4, 4] = exp(%x)",
    "a kernel makes one value": """
        %0: f32[4, 4], %9: f32[4, 4] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4, 4] = exp(%1)
          yield %2, %2
        }""",
    "all of a kernel goes along the same rows": """
        %0: f32[] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4] = reduce(%1) {kind = "add", axes = [1]}
          %3: f32[] = reduce(%2) {kind = "add", axes = [0]}
          yield %3
        }""",
    "a kernel has one reduction, or several of the same rows": """
        %0: f32[] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4] = reduce(%1) {kind = "add", axes = [0]}
          %3: f32[] = reduce(%2) {kind = "add", axes = [0]}
          yield %3
        }""",
    "a kernel holds no kernels": """
        %0: f32[8, 4] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[8, 4] = concat(%1, %1) {axis = 0}
          yield %2
        }""",
    "only elementwise nodes of its shape follow a reduction": """
        %0: f32[4, 4] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4] = reduce(%1) {kind = "add", axes = [0]}
          %3: f32[4, 4] = broadcast(%2) {shape = [4, 4], axes = [0]}
          yield %3
        }""",
    "nothing follows the last reshape or pad of a kernel": """
        %0: f32[1, 4] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4] = reduce(%1) {kind = "add", axes = [0]}
          %3: f32[1, 4] = reshape(%2) {shape = [1, 4]}
          %4: f32[1, 4] = exp(%3)
          yield %4
        }""",
    "a kernel yields what its reduction leads to": """
        %0: f32[4, 4] = fused(%x) (%1: f32[4, 4]) {
          %2: f32[4] = reduce(%1) {kind = "add", axes = [0]}
          %3: f32[4, 4] = exp(%1)
          yield %3
        }""",
    "only views stand in front of a product": f"""
        %0: f32[4, 4] = fused(%x) (%1: f32[4, 4]) {{
          %2: f32[4, 4] = exp(%1)
          %3: f32[4, 4] = dot_general(%1, %2) {VIEW}
          yield %3
        }}""",
    "windows that overlap, and paddings, are read from memory": f"""
        %0: f32[4, 3] = fused(%x) (%1: f32[4, 4]) {{
          %2: f32[4, 4] = transpose(%1) {{permutation = [1, 0]}}
          %3: f32[4, 3] = reduce_window(%2) {WINDOW}
          yield %3
        }}""",
}


@pytest.mark.parametrize("fault", CASES)
def test_a_broken_kernel_is_found(fault: str) -> None:
    text = f"graph @m lux {{\n input %x: f32[4, 4]\n {CASES[fault]}\n return %0\n}}"
    found = kernel_fault(parse_graph(text).nodes)
    assert found is not None
    op = "exp" if fault == "it is not a kernel" else "fused"
    assert found == f"{fault}: {op}"


def test_a_broken_kernel_inside_a_loop_is_found() -> None:
    text = """
    graph @m lux {
      input %h: f32[4]
      %0: f32[4] = scan(%h) {carries = 1, consts = 0, length = 2} (%1: f32[4]) {
        %2: f32[4] = exp(%1)
        yield %2
      }
      return %0
    }"""
    found = kernel_fault(parse_graph(text).nodes)
    assert found is not None
    assert found == "it is not a kernel: exp: scan"
