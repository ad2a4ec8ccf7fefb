"""Settings of a user's layer may have any name that is not part of the protocol."""

from dataclasses import dataclass
from typing import Any

import pytest

from lxc import nn
from lxc.errors import LxcError
from lxc.frontend import setup, trace_layer
from lxc.ir import TensorSpec
from lxc.ir.node import walk

HERE = "test_names_of_settings.py:"


@dataclass(frozen=True)
class Named(nn.Layer):
    """Scale by a number, with settings of names that other parts of a layer have."""

    source: Any
    node_op: float = 2.0
    kind: str = "none"
    path: str = "nowhere"
    name: str = "unnamed"
    op: Any = None
    run: Any = None

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return x * self.node_op, st


class Counted(nn.Layer):
    """Scale by a number that is computed from another one."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    @property
    def source(self) -> float:
        return 2 * self.factor

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return x * self.source, st


@pytest.mark.parametrize("source", [3, "camera", None])
def test_settings_have_any_name(source: Any) -> None:
    model = nn.Chain(nn.Dense(4, 4), Named(source))
    graph = trace_layer(model, TensorSpec((2, 4)), *setup(0, model))
    (found,) = [n for n in walk(graph.nodes) if n.attributes.get("kind") == "Named"]
    assert HERE in found.location.source
    assert repr(Named(source)) == f"Named({source!r})"


def test_a_property_may_have_any_name() -> None:
    layer = Counted(1.5)
    assert layer(2.0, {}, {}) == (6.0, {})
    assert repr(layer) == "Counted(1.5)"


def test_an_error_names_the_line_of_a_layer_whose_source_is_a_setting() -> None:
    model = Named("camera", node_op="much")  # type: ignore[arg-type]
    with pytest.raises(LxcError) as error:
        trace_layer(model, TensorSpec((2, 4)), {}, {})
    assert str(error.value.layer).startswith("Named  (")
    assert HERE in str(error.value.layer)


def test_a_layer_that_is_a_setting_is_shown_whole() -> None:
    @dataclass(frozen=True)
    class Around(nn.Layer):
        inner: nn.Layer

    assert repr(Around(Named(1, name="x"))) == "Around(Named(1, name='x'))"
