"""What there is to be measured of a model for one target."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lxc.errors import InternalError
from lxc.ir.builder import make_node
from lxc.ir.dim import Dim
from lxc.ir.graph import Graph
from lxc.ir.node import Node, Value, walk
from lxc.ir.ops.shape import reshape, slice
from lxc.passes import Choices, passes_named, run_passes
from lxc.passes.records import Answer, Record
from lxc.passes.select_algorithms import Selection
from lxc.structure import LEAF, Structure
from lxc.targets.compile import build_artifact, lowered_program, target_program
from lxc.targets.kernels.cost import BYTES_PER_NANOSECOND, FLOPS_PER_NANOSECOND
from lxc.targets.single_kernel import single_kernel
from lxc.targets.target import Call, Target
from lxc.tuning.trial import KernelMemory, Trial, copies_of, model_trial, sizes_of

SELECTION = "select-algorithms"
MOST_CONVOLUTIONS = 16
"""So many weights of a convolution at most are prepared at once."""


@dataclass(frozen=True)
class Question:
    """Work that can be done in several ways, of which the fastest is to be found.

    `cost` estimates its nanoseconds in one call of the model. `trial` compiles one of the
    options.
    """

    answer: Answer
    cost: float
    trial: Callable[[str], Trial]


def algorithm_questions(graph: Graph, target: Target, choices: Choices) -> list[Question]:
    """Return the convolutions of a tensor-level graph that have several algorithms."""
    pipeline = target.back_end.pipeline
    if SELECTION not in pipeline:
        return []
    names = pipeline[: pipeline.index(SELECTION)]
    outcome = run_passes(
        graph, passes_named(names), machine=target.machine, choices=choices
    )
    if not isinstance(outcome.program, Graph):
        raise InternalError("tuning", f"the passes before {SELECTION} split the graph")
    selection = Selection(outcome.program, target.machine, choices.exact, choices.records)
    weights = sum(value.type.max_bytes for value in graph.params)
    return merged(
        convolution_question(node, answer, target, choices, graph.dims, weights)
        for node, answer in selection.answers
    )


def convolution_question(
    node: Node,
    answer: Answer,
    target: Target,
    choices: Choices,
    dims: tuple[Dim, ...],
    weights: int,
) -> Question:
    """Return the question by which algorithm a convolution is the fastest."""
    weight = node.operands[1].type
    copies = min(MOST_CONVOLUTIONS, copies_of(weight.max_bytes, weights))
    small = convolution_graph(node, dims, copies)

    def trial(option: str) -> Trial:
        chosen = forced(choices, answer, option)
        artifact = build_artifact(small, [target], name=small.name, choices=chosen)
        return model_trial(artifact, sizes_of(dims))

    moved = sum(value.type.max_bytes for value in (*node.operands, node.result))
    return Question(answer, moved / BYTES_PER_NANOSECOND, trial)


def convolution_graph(node: Node, dims: tuple[Dim, ...], copies: int) -> Graph:
    """Return a graph that does a convolution with several weights, the parts of one param.

    They are taken apart in `prepare`, so that they lie where weights of a model do.
    """
    x, weight = (operand.type for operand in node.operands)
    first, whole = Value(x, "%x"), Value(weight.with_shape((copies, *weight.shape)), "@0")
    nodes, results = [], []
    for number in range(copies):
        start, stop = (number, *(0 for _ in weight.shape)), (number + 1, *weight.shape)
        steps = (1,) * len(stop)
        part = make_node(slice, (whole,), {"start": start, "stop": stop, "step": steps})
        own = make_node(reshape, part.results, {"shape": weight.shape})
        done = make_node(node.op, (first, own.result), node.attributes)
        nodes += [part, own, done]
        results.append(done.result)
    return Graph(
        "convolution",
        dims=dims,
        inputs=(first,),
        params=(whole,),
        nodes=tuple(nodes),
        outputs=tuple(results),
        param_tree=Structure("list", (), (LEAF,)),
        output_tree=Structure("list", (), (LEAF,) * copies),
    )


def tile_questions(graph: Graph, target: Target, choices: Choices) -> list[Question]:
    """Return the kernels of a tensor-level graph whose tiles can have several shapes."""
    _, program = target_program(graph, target, choices)
    lowered = lowered_program(program, target, "model", choices)
    run = program.run
    hot = {*walk(run.nodes)}
    weights = {*run.params, *run.prepared, *run.data}
    cold = sum(value.type.max_bytes for value in weights)
    return merged(
        kernel_question(call, call.kernel.answer, target, choices, run, weights, cold)
        for call in lowered.calls
        if call.node in hot and call.kernel.answer is not None
    )


def kernel_question(
    call: Call,
    answer: Answer,
    target: Target,
    choices: Choices,
    run: Graph,
    weights: set[Value],
    cold: int,
) -> Question:
    """Return the question with which tiles a kernel is the fastest."""
    operands = dict.fromkeys(call.node.operands)
    numbers = [number for number, value in enumerate(operands) if value in weights]
    memory = KernelMemory(sizes_of(run.dims), numbers, cold)

    def trial(option: str) -> Trial:
        chosen = forced(choices, answer, option)
        return memory.trial(single_kernel(call.node, run.dims, target, chosen))

    cost = call.kernel.cost
    flops, moved = cost.flops / FLOPS_PER_NANOSECOND, cost.bytes / BYTES_PER_NANOSECOND
    return Question(answer, max(flops, moved), trial)


def forced(choices: Choices, answer: Answer, option: str) -> Choices:
    """Return choices with which a subject is done in one of its ways."""
    subject = answer.subject
    about = subject.about, subject.machine, subject.line
    record = Record(*about, option, answer.options[0], {})
    return replace(choices, records=choices.records.with_record(answer, record))


def merged(questions: Iterator[Question]) -> list[Question]:
    """Return questions with each subject once, those that cost most in front."""
    found: dict[str, Question] = {}
    for one in questions:
        key = one.answer.subject.key
        known = found.get(key)
        cost = one.cost + (known.cost if known else 0)
        found[key] = replace(known or one, cost=cost)
    several = [one for one in found.values() if len(one.answer.options) > 1]
    return sorted(several, key=lambda one: -one.cost)
