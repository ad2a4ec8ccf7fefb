"""The stages of a model side by side: as it was traced, without layers, as kernels."""

from collections.abc import Iterator
from dataclasses import replace

from lxc.compilation import tensor_level
from lxc.drawing.diagram import View
from lxc.drawing.heat import Heat, with_heat, with_layer_heat
from lxc.drawing.reading import diagram_of
from lxc.ir.graph import Graph, Program
from lxc.passes.choices import Choices
from lxc.targets.compile import target_program
from lxc.targets.target import Target

STAGES = ("traced", "tensor", "target", "prepare")
"""The names of views on the command line, in the order in which they are made."""

TRACED = "The model as its layers were called. Open a layer to see its ops."
TENSOR = "What every target starts from: no layers, and nothing that is superfluous."
RUN = "What runs in a call on {target}. A box that can be opened is one kernel."
PREPARE = "What runs once for a set of parameters on {target}."


def views_of(graph: Graph, target: Target, choices: Choices) -> Iterator[View]:
    """Yield the views of a traced graph, before and after its passes for a target."""
    yield View("traced", TRACED, diagram_of(graph))
    level = tensor_level(graph)
    yield View("tensor level", TENSOR, diagram_of(level))
    _, program = target_program(level, target, choices)
    yield from program_views(program, target.name)


def program_views(program: Program, target: str) -> Iterator[View]:
    """Yield what runs in each call, then what runs once for a set of parameters."""
    yield View(target, RUN.format(target=target), diagram_of(program.run))
    prepare = diagram_of(program.prepare)
    yield View("prepare", PREPARE.format(target=target), prepare)


def with_times(views: list[View], heat: Heat) -> list[View]:
    """Return the four views of a model with the times of a profile."""
    traced, tensor, run, prepare = views
    return [
        replace(traced, diagram=with_layer_heat(traced.diagram, heat.run)),
        tensor,
        replace(run, diagram=with_heat(run.diagram, heat.run)),
        replace(prepare, diagram=with_heat(prepare.diagram, heat.prepare)),
    ]
