"""Fusion says of every pair of nodes why it is, or is not, one kernel."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given

from lxc.ir.graph import Graph
from lxc.ir.node import Node, users, walk
from lxc.ir.parser import parse_graph
from lxc.passes import (
    LAYER_PIPELINE,
    PORTABLE,
    TARGET_PIPELINE,
    TENSOR_PIPELINE,
    explain,
    passes_named,
    run_passes,
)
from lxc.passes.decision_list import decisions_from_json, decisions_to_json
from tests.conftest import Golden
from tests.passes.random_models import models
from tests.passes.test_meaning import SLOW

HERE = Path(__file__).parent
MODEL = (HERE / "explain" / "model.lxir").read_text("utf-8")
WHOLE = (*LAYER_PIPELINE, *TENSOR_PIPELINE, *TARGET_PIPELINE)


def pairs(nodes: Sequence[Node]) -> int:
    """Return how many pairs of a node and one that reads it there are, at any depth."""
    here = sum(
        len({reader for value in node.results for reader in users(nodes).get(value, [])})
        for node in nodes
    )
    return here + sum(pairs(body.nodes) for node in nodes for body in node.bodies)


def test_the_worked_example_is_explained(golden: Golden) -> None:
    outcome = run_passes(parse_graph(MODEL), passes_named(WHOLE))
    lines = "".join(f"{decision}\n" for decision in outcome.decisions)
    golden.compare(HERE / "explain" / "decisions.txt", lines)


@SLOW
@given(models())
def test_every_pair_gets_one_decision(graph: Graph) -> None:
    passes = passes_named([*TENSOR_PIPELINE, "explicit-padding"])
    ready = run_passes(graph, passes).program
    assert isinstance(ready, Graph)
    _, decisions = explain(ready, PORTABLE)
    assert len(decisions) == pairs(ready.nodes)
    for decision in decisions:
        assert bool(decision.would_allow) is not decision.fused
        assert json.loads(json.dumps(decision.to_json())) == {
            **decision.to_json(),
            "layers": list(decision.layers),
            "shapes": list(decision.shapes),
        }


def test_fused_decisions_are_what_happened() -> None:
    text = """
    graph @model lux {
      input %x: f32[4]
      %0: f32[4] = exp(%x)
      %1: f32[4] = tanh(%0) {fast = false}
      %2: f32[8] = concat(%1, %x) {axis = 0}
      return %2
    }"""
    graph, decisions = explain(parse_graph(text), PORTABLE)
    assert [(one.producer, one.consumer, one.fused) for one in decisions] == [
        ("exp", "tanh", True),
        ("tanh", "concat", False),
    ]
    assert [node.op.name for node in walk(graph.nodes)] == [
        "fused",
        "exp",
        "tanh",
        "concat",
    ]


def test_a_kernel_reads_no_more_tensors_than_there_are_registers() -> None:
    inputs = "".join(f"input %x{i}: f32[4]\n" for i in range(6))
    sums = "".join(
        f"%{i}: f32[4] = add({'%x0' if i == 1 else f'%{i - 1}'}, %x{i})\n"
        for i in range(1, 6)
    )
    tree = ", ".join("*" * 6)
    text = f"graph @m lux {{\n{inputs}tree inputs = ({tree})\n{sums}return %5\n}}"
    one, _ = explain(parse_graph(text), PORTABLE)
    assert len(one.nodes) == 1
    several, decisions = explain(parse_graph(text), replace(PORTABLE, registers=4))
    assert max(len(node.operands) for node in several.nodes) <= 4
    assert {decision.rule for decision in decisions if not decision.fused} == {"registers"}


def test_a_product_takes_no_more_tensors_than_there_are_registers() -> None:
    text = """
    graph @model lux {
      input %x: f32[2, 4]
      input %y: f32[2, 4]
      param @w: f32[4, 4]
      tree inputs = (*, *)
      tree params = {w: *}
      %0: f32[2, 4] = dot_general(%x, @w) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]}
      %1: f32[2, 4] = add(%0, %y)
      return %1
    }"""
    wide, _ = explain(parse_graph(text), replace(PORTABLE, registers=3))
    assert len(wide.nodes) == 1
    narrow, decisions = explain(parse_graph(text), replace(PORTABLE, registers=2))
    assert len(narrow.nodes) == 2
    assert [decision.rule for decision in decisions] == ["registers"]


def test_the_result_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from pathlib import Path\n"
        "from lxc.ir.parser import parse\n"
        "from lxc.passes import *\n"
        f"text = Path({str(HERE / 'explain' / 'model.lxir')!r}).read_text('utf-8')\n"
        f"done = run_passes(parse(text), passes_named({list(WHOLE)!r}))\n"
        "print(done.program, *done.decisions, sep='\\n')"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=HERE.parent.parent,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1
    assert b"fused" in found.pop()


def test_equal_decisions_are_written_once_and_read_in_their_order() -> None:
    graph = parse_graph(MODEL)
    decisions = list(run_passes(graph, passes_named(WHOLE)).decisions)
    moved = [replace(one, layers=("layer_9", "")) for one in decisions]
    stored = json.loads(json.dumps(decisions_to_json([*decisions, *moved, *decisions])))
    facts = {replace(one, layers=("", "")) for one in decisions}
    assert len(stored["decisions"]) == len(facts) <= len(decisions)
    assert decisions_from_json(stored) == [*decisions, *moved, *decisions]
