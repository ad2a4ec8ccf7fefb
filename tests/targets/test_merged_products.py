"""Products that were merged have the bits that each has alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.passes import passes_named, run_passes
from tests.targets.backends import Compiled, compiled

PARTS = {"q": (4, 8), "k": (2, 8), "v": (5, 8), "w": (3, 7)}
DEPTH = 33


def graph_of(name: str, parts: Sequence[str]) -> Graph:
    """Return the graph of products of one input, each with a bias and a row of heads."""
    lines = [f"graph @{name} lux {{", "  dim T: 1..80", f"  input %x: f32[T, {DEPTH}]"]
    sizes = {part: heads * size for part, (heads, size) in PARTS.items() if part in parts}
    lines += [f"  param @{part}: f32[{DEPTH}, {size}]" for part, size in sizes.items()]
    lines += [f"  param @{part}_bias: f32[{size}]" for part, size in sizes.items()]
    names = [*sizes, *(f"{part}_bias" for part in sizes)]
    trees = ", ".join(f"{key}: *" for key in names)
    lines += ["  tree inputs = *", f"  tree params = {{{trees}}}", "  tree state = {}"]
    lines += [f"  tree outputs = ({', '.join('*' * len(parts))},)", ""]
    outputs = []
    for number, (part, size) in enumerate(sizes.items()):
        heads, each = PARTS[part]
        first = 5 * number
        made = [
            f"f32[T, {size}] = dot_general(%x, @{part}) {{lhs_batch = [], "
            "rhs_batch = [], lhs_contract = [1], rhs_contract = [0]}",
            f"f32[T, {size}] = broadcast(@{part}_bias) {{shape = [T, {size}], axes = [1]}}",
            f"f32[T, {size}] = add(%{first}, %{first + 1})",
            f"f32[T, {heads}, {each}] = reshape(%{first + 2}) "
            f"{{shape = [T, {heads}, {each}]}}",
            f"f32[T, {heads}, {each}] = negate(%{first + 3})",
        ]
        lines += [f"  %{first + place}: {text}" for place, text in enumerate(made)]
        outputs.append(f"%{first + 4}")
    return parse_graph("\n".join([*lines, f"  return {', '.join(outputs)}", "}"]))


def drawn(graph: Graph, length: int) -> tuple[list[Array], list[Array]]:
    random = np.random.default_rng(length)
    x = random.standard_normal((length, DEPTH)).astype(np.float32)
    table: dict[str, Array] = {}
    for value in graph.params:
        own = np.random.default_rng(sum(map(ord, value.name)))
        shape = [int(str(entry)) for entry in value.type.shape]
        table[value.name] = own.standard_normal(shape).astype(np.float32)
    return [x], [table[value.name] for value in graph.params]


@pytest.mark.parametrize("parts", [("q", "k", "v"), ("q", "k", "w")])
@pytest.mark.parametrize("target", compiled())
def test_a_merged_product_has_the_bits_of_each_part(
    parts: tuple[str, ...], target: Compiled, tmp_path: Path
) -> None:
    whole = graph_of("whole", parts)
    outcome = run_passes(whole, passes_named(["merge-products"]))
    verdicts = [(one.rule, one.fused) for one in outcome.decisions]
    assert verdicts == [("siblings", True)] * 2
    merged = target.load(whole, tmp_path)
    single = {part: graph_of(part, [part]) for part in parts}
    alone = {part: target.load(graph, tmp_path) for part, graph in single.items()}
    for length in (1, 6, 64, 77):
        inputs, params = drawn(whole, length)
        outputs = merged.model(inputs[0], named(whole, params), {})[0]
        for part, output in zip(parts, outputs, strict=True):
            _, own = drawn(single[part], length)
            (wanted,) = alone[part].model(inputs[0], named(single[part], own), {})[0]
            np.testing.assert_array_equal(output, wanted)


def named(graph: Graph, params: Sequence[Array]) -> dict[str, Array]:
    names = (value.name[1:] for value in graph.params)
    return dict(zip(names, params, strict=True))
