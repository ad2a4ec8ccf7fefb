"""What a program is: types, ops, graphs, their text form and their meaning on arrays."""

from lxc.ir import functions
from lxc.ir.builder import Builder, make_node
from lxc.ir.dim import Dim
from lxc.ir.evaluate import evaluate
from lxc.ir.graph import Graph, Program
from lxc.ir.machine import Machine
from lxc.ir.node import Body, Location, Node, Value
from lxc.ir.op import OPS, Op
from lxc.ir.parser import parse, parse_graph
from lxc.ir.printer import print_graph
from lxc.ir.rewrite import Replacement, rewrite
from lxc.ir.tensor import Tensor
from lxc.ir.types import DType, TensorSpec, TensorType
from lxc.ir.verify import verify

__all__ = [
    "OPS",
    "Body",
    "Builder",
    "DType",
    "Dim",
    "Graph",
    "Location",
    "Machine",
    "Node",
    "Op",
    "Program",
    "Replacement",
    "Tensor",
    "TensorSpec",
    "TensorType",
    "Value",
    "evaluate",
    "functions",
    "make_node",
    "parse",
    "parse_graph",
    "print_graph",
    "rewrite",
    "verify",
]
