"""An ONNX graph as lxc runs it: operators in order, and values by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.frontend.onnx.operator import Operator
from lxc.ir.types import Array


@dataclass(frozen=True)
class Input:
    """An input: its name in the file, its key in a tree, and its type.

    A size of the shape is a number, or the name of a dimension.
    """

    name: str
    key: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """A node: which operator runs on which values, with which attributes.

    Inputs and outputs are names; a missing one is empty. `path` is the layer path that the
    node's name makes.
    """

    kind: str
    operator: Operator
    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    opset: int


@dataclass(frozen=True, eq=False)
class Program:
    """A graph without control flow.

    `constants` are values by name that the model is built of, `parameters` those that it is
    given; `paths` says where in the tree of parameters these stand. `outputs` are names.
    """

    file: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    steps: tuple[Step, ...]
    constants: Mapping[str, Array]
    parameters: Mapping[str, Array]
    paths: Mapping[str, str]
