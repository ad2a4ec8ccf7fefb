"""A pass as a value: its function, and what it needs and promises."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxc.ir.machine import Machine
from lxc.passes.choices import DEFAULT, Choices
from lxc.passes.decision import Decision


@dataclass(frozen=True)
class Setting:
    """What a pass may know besides the graph.

    That is the machine, who hears of decisions, and what the user chose.
    """

    machine: Machine
    decide: Callable[[Decision], None]
    choices: Choices = DEFAULT


@dataclass(frozen=True)
class Pass:
    """A pass of the table: `run` maps a graph or a program to another one.

    `requires` and `guarantees` name properties of `lxc.passes.properties`; they are checked
    before and after each run.
    """

    name: str
    description: str
    requires: tuple[str, ...]
    guarantees: tuple[str, ...]
    run: Callable[[Any, Setting], Any]


def entry(
    function: Callable[..., Any],
    *,
    requires: tuple[str, ...] = (),
    guarantees: tuple[str, ...] = (),
    run: Callable[[Any, Setting], Any] | None = None,
) -> Pass:
    """Return the pass of a function: its name with hyphens, its docstring's first line.

    `run` is for a function that needs the setting.
    """
    return Pass(
        name=function.__name__.replace("_", "-"),
        description=str(function.__doc__).splitlines()[0],
        requires=requires,
        guarantees=guarantees,
        run=run or (lambda program, setting: function(program)),
    )
