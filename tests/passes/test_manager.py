"""The manager checks, times and writes down what passes do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lxc.errors import InternalError, LxcError
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.parser import parse, parse_graph
from lxc.passes import (
    LAYER_PIPELINE,
    PASSES,
    PORTABLE,
    TARGET_PIPELINE,
    passes_named,
    run_passes,
)
from lxc.passes.properties import PROPERTIES
from lxc.passes.single_pass import Pass, Setting

TEXT = """
graph @model lux {
  input %x: f32[2]
  %0: f32[2] = noop(%x)
  %1: f32[2] = exp(%0) at layer_2
  return %1
}
"""

CONVOLUTION = """
graph @model lux {
  input %x: f32[1, 2, 1, 2]
  param @weight: f32[8, 2, 1, 1]
  tree params = {weight: *}
  %0: f32[1, 8, 1, 2] = conv(%x, @weight) {
    strides = [1, 1], padding = [[0, 0], [0, 0]], lhs_dilation = [1, 1],
    rhs_dilation = [1, 1], groups = 1, weight_order = "oi"
  }
  return %0
}
"""


def one_pass(run: Any, guarantees: tuple[str, ...] = ()) -> Pass:
    def apply(program: Graph, setting: Setting) -> Any:
        return run(program)

    return Pass("break-it", "Break it.", (), guarantees, apply)


def test_dumps_are_numbered_and_mark_what_did_not_change(tmp_path: Path) -> None:
    graph = parse_graph(TEXT)
    outcome = run_passes(graph, passes_named(LAYER_PIPELINE), dump=tmp_path / "ir")
    names = [path.name for path in sorted((tmp_path / "ir").iterdir())]
    assert names == [
        "00-traced.lxir",
        "01-flatten-chains.lxir",
        "02-remove-noops.lxir",
        "03-unwrap-single.lxir",
        "04-inline-layers.lxir",
    ]
    texts = [path.read_text("utf-8") for path in sorted((tmp_path / "ir").iterdir())]
    assert texts[1] == f"; unchanged by flatten-chains\n{texts[0]}"
    assert "noop" in texts[1]
    assert "noop" not in texts[2]
    assert [str(parse(text)) for text in texts][-1] == str(outcome.program)
    assert [step.changed for step in outcome.steps] == [False, True, False, False]


def test_progress_is_told_before_each_pass() -> None:
    told: list[tuple[str, int, int]] = []
    run_passes(
        parse_graph(TEXT),
        passes_named(["remove-noops", "canonicalise"]),
        progress=lambda name, number, count: told.append((name, number, count)),
    )
    assert told == [("remove-noops", 1, 2), ("canonicalise", 2, 2)]


def test_steps_take_time() -> None:
    outcome = run_passes(parse_graph(TEXT), passes_named(LAYER_PIPELINE))
    assert [step.name for step in outcome.steps] == list(LAYER_PIPELINE)
    assert all(step.seconds > 0 for step in outcome.steps)


def test_a_broken_graph_names_pass_invariant_line_and_dump(tmp_path: Path) -> None:
    def forget(graph: Graph) -> Graph:
        return graph.replaced(nodes=graph.nodes[1:])

    with pytest.raises(InternalError) as caught:
        run_passes(parse_graph(TEXT), [one_pass(forget)], dump=tmp_path)
    message = str(caught.value)
    assert "the pass break-it" in message
    assert "invariant 4" in message
    assert "exp(%" in message
    assert str(tmp_path / "00-traced.lxir") in message


def test_a_pass_that_fails_is_named(tmp_path: Path) -> None:
    def fail(graph: Graph) -> Graph:
        raise KeyError("weight")

    with pytest.raises(InternalError, match="the pass break-it: 'weight'"):
        run_passes(parse_graph(TEXT), [one_pass(fail)])


def test_a_broken_promise_is_named() -> None:
    with pytest.raises(InternalError, match=r"it promises tensor-level: noop"):
        run_passes(parse_graph(TEXT), [one_pass(lambda graph: graph, ("tensor-level",))])


def test_an_unpacked_weight_is_noticed_where_the_machine_wants_it_packed() -> None:
    graph = parse_graph(CONVOLUTION)
    wide = replace(PORTABLE, name="wide", lanes=16)
    packed = run_passes(graph, passes_named(["pack-weights"]), machine=wide).program
    keep = one_pass(lambda graph: graph, ("packed",))
    for program, machine in ((graph, PORTABLE), (packed, wide)):
        assert run_passes(program, [keep], machine=machine).program is program
    with pytest.raises(InternalError, match="it promises packed: a weight"):
        run_passes(graph, [keep], machine=wide)


def test_a_graph_that_is_wrong_before_is_not_blamed_on_a_pass() -> None:
    graph = parse_graph(TEXT)
    wrong = graph.replaced(outputs=(Value(graph.outputs[0].type),))
    with pytest.raises(LxcError) as caught:
        run_passes(wrong, passes_named(LAYER_PIPELINE))
    assert caught.value.code == "LXC-E0202"


def test_a_pass_says_what_it_needs() -> None:
    with pytest.raises(LxcError) as caught:
        run_passes(parse_graph(TEXT), passes_named(["fuse"]))
    assert str(caught.value) == (
        "error[LXC-E0204]: the pass fuse cannot run here\n"
        "  expected: tensor-level: no layer is left\n"
        "  actual:   noop"
    )


def test_an_unknown_pass_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(LxcError) as caught:
        passes_named(["fuse", "fuze"])
    assert caught.value.code == "LXC-E0203"
    assert "'fuze'" in caught.value.summary
    assert all(name in str(caught.value.hint) for name in PASSES)


def test_the_table_holds_names_descriptions_and_known_properties() -> None:
    for name, one in PASSES.items():
        assert name == one.name
        assert one.description.endswith(".")
        assert {*one.requires, *one.guarantees} <= set(PROPERTIES)


def test_only_fuse_makes_decisions() -> None:
    program = parse_graph(TEXT.replace("noop(%x)", "tanh(%x)"))
    before = run_passes(program, passes_named(["canonicalise"]))
    assert before.decisions == ()
    after = run_passes(before.program, passes_named(TARGET_PIPELINE))
    assert [str(decision) for decision in after.decisions] == [
        "fused    the model tanh f32[2] -> layer_2 exp f32[2]: "
        "elementwise: each element is used where it is made"
    ]
