"""The public face: names on first use, and the two verbs on models and graphs."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.errors import CODES, EXIT_STATUS, InternalError, LxcError, one_of

ROOT = Path(__file__).parent.parent
NAMES: list[str] = vars(lxc)["__all__"]
X = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(lxc, name) is not None
    assert name in dir(lxc)


def test_the_stub_lists_the_same_names() -> None:
    tree = ast.parse((ROOT / "lxc" / "__init__.pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    named = {str(alias.asname) for node in imports for alias in node.names}
    assert named == set(NAMES)


def test_other_names_are_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lxc.__getattr__("nothing")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, lxc; print([m for m in ('numpy', 'tvm', 'click') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_layer_and_its_graph_compile_to_the_same_bytes() -> None:
    model = nn.Chain(nn.Dense(3, 4, nn.relu))
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, X, ps, st)
    one = lxc.compile(model, X, ps, st, target="x86-64-v2")
    two = lxc.compile(graph, target="x86-64-v2")
    assert one.artifact.sha256 == two.artifact.sha256
    np.testing.assert_allclose(one(X, ps, st)[0], model(X, ps, st)[0], rtol=1e-6)


def test_a_kaun_layer_compiles_with_its_vars() -> None:
    layer = kaun.linear(in_features=3, out_features=2)
    variables = kaun.init(layer, dtype="float32", rng=0)
    m = lxc.compile(layer, X, variables, target="x86-64-v2")
    y, _ = m(X, variables)
    np.testing.assert_allclose(y, kaun.apply(layer, variables, X)[0], rtol=1e-6)


def test_layers_may_be_in_different_modes() -> None:
    model = nn.Chain(nn.BatchNorm(3), nn.Dense(3, 3), nn.BatchNorm(3))
    ps, st = lxc.setup(0, model)
    st = lxc.testmode(st)
    st["layer_3"] = lxc.trainmode(st["layer_3"])
    m = lxc.compile(model, X, ps, st, target="x86-64-v2")
    assert m.signature.mode == "mixed"
    y, after = m(X, ps, st)
    expected, wanted = model(X, ps, st)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    for layer in ("layer_1", "layer_3"):
        mean = after[layer]["running_mean"]
        np.testing.assert_allclose(mean, wanted[layer]["running_mean"], rtol=1e-5)
    assert not np.array_equal(
        after["layer_3"]["running_mean"], st["layer_3"]["running_mean"]
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_number_of_trees_is_checked(count: int) -> None:
    model = nn.Chain(nn.Dense(3, 4))
    with pytest.raises(LxcError) as caught:
        lxc.trace(model, X, *[{}] * count)
    assert caught.value.code == "LXC-E0001"
    assert caught.value.actual == f"{count} trees after x"


def test_a_model_is_compiled_for_an_input_and_a_graph_as_it_is() -> None:
    model = nn.Dense(3, 4)
    graph = lxc.trace(model, X, *lxc.setup(0, model))
    for arguments, words in (
        ((model,), "compile(model, x, ps, st)"),
        ((kaun.relu(),), "compile(layer, x, vars)"),
        ((graph, X), "no further arguments"),
    ):
        with pytest.raises(LxcError) as caught:
            lxc.compile(*arguments)
        assert caught.value.code == "LXC-E0001"
        assert words in str(caught.value)


@pytest.mark.parametrize("target", [[], 5])
def test_a_model_is_compiled_for_a_target(target: Any) -> None:
    model = nn.Dense(3, 4)
    with pytest.raises(LxcError, match="no target is named"):
        lxc.compile(model, X, *lxc.setup(0, model), target=target)


def test_every_code_has_words_and_an_exit_status() -> None:
    for code, words in CODES.items():
        assert code[:5] == "LXC-E"
        assert len(code) == 9
        assert EXIT_STATUS[code[5:7]] in range(2, 8)
        assert words == words.strip()


def test_an_error_prints_its_facts_in_order() -> None:
    error = LxcError(
        "LXC-E0103", "no", hint="h", actual="a", expected="e", op="o", layer="l"
    )
    assert str(error) == (
        "error[LXC-E0103]: no\n  layer:    l\n  op:       o\n"
        "  expected: e\n  actual:   a\n  hint:     h"
    )
    assert str(LxcError("LXC-E0001", "bare")) == "error[LXC-E0001]: bare"
    assert error.exit_status == 3


def test_a_fault_of_lxc_asks_for_a_report() -> None:
    text = str(InternalError("the pass fuse", "it broke"))
    assert text.startswith("internal error in the pass fuse: it broke\n")
    assert "report" in text


def test_alternatives_read_like_a_sentence() -> None:
    assert [one_of(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a or b",
        "a, b or c",
    ]
