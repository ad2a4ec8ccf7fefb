"""An artifact with one kernel of a model alone, so that it can be measured."""

from lxc.ir.dim import Dim
from lxc.ir.graph import Graph, Program
from lxc.ir.node import Node, Value
from lxc.ir.rewrite import with_operands
from lxc.ir.types import DType, TensorType
from lxc.passes.choices import Choices
from lxc.passes.plan_memory import planned
from lxc.runtime.artifact import write
from lxc.runtime.manifest import TargetRecord
from lxc.structure import LEAF, Structure
from lxc.targets.buffer_table import signature_of
from lxc.targets.llvm.toolchain import compiler_for
from lxc.targets.target import Request, Target

NAME = "kernel"


def single_kernel(
    node: Node, dims: tuple[Dim, ...], target: Target, choices: Choices
) -> bytes:
    """Return an artifact that does the work of a node of a planned program.

    Its inputs are the distinct operands of the node, in their order, and behind them one
    array along every dimension, whose length says how large that is.
    """
    operands = list(dict.fromkeys(node.operands))
    types = [one.type for one in operands]
    types += [TensorType(DType.I8, (dim + 0,)) for dim in dims]
    inputs = tuple(Value(one, f"%x.{i}") for i, one in enumerate(types))
    stands_for = dict(zip(operands, inputs, strict=False))
    moved = with_operands(node, [stands_for[one] for one in node.operands])
    graph = Graph(
        NAME,
        dims=dims,
        inputs=inputs,
        nodes=(moved,),
        outputs=moved.results,
        input_tree=Structure("tuple", (), (LEAF,) * len(inputs)),
    )
    prepare = planned(Graph(NAME, dims=dims), ())
    program = Program(prepare, planned(graph, graph.outputs))
    signature = signature_of(graph, name=NAME, mode=graph.mode)
    compiler = compiler_for(target.triple)
    built = target.back_end.built(Request(program, signature, choices, compiler), target)
    lowered = built.code.lowered
    sizes = lowered.prepared_bytes, lowered.arena_bytes
    record = TargetRecord(
        target.name,
        target.triple,
        target.features,
        *sizes,
        images=target.back_end.images,
        driver=built.driver,
    )
    return write(
        None, signature=signature, targets=[record], members={record.library: built.library}
    )
