"""Run passes one after the other: checked, timed and written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from lxc.errors import InternalError, LxcError
from lxc.ir.machine import Machine
from lxc.ir.verify import BrokenInvariant, Verified, verify
from lxc.passes.choices import DEFAULT, Choices
from lxc.passes.decision import Decision
from lxc.passes.fuse import PORTABLE
from lxc.passes.properties import PROPERTIES, Form
from lxc.passes.single_pass import Pass, Setting

Progress = Callable[[str, int, int], None]
"""Called before each pass with its name, its number from 1 and the number of passes."""


@dataclass(frozen=True)
class Step:
    """One pass as it ran, with its checks."""

    name: str
    seconds: float
    changed: bool


@dataclass(frozen=True)
class Outcome:
    """What came out of a list of passes, and how."""

    program: Form
    steps: tuple[Step, ...]
    decisions: tuple[Decision, ...]


def run_passes(
    program: Form,
    passes: Sequence[Pass],
    *,
    machine: Machine = PORTABLE,
    choices: Choices = DEFAULT,
    dump: Path | None = None,
    progress: Progress | None = None,
    first: str = "traced",
) -> Outcome:
    """Return the program after `passes`; each must leave it well formed.

    With `dump`, the text after each pass is written there, and in front of all the text of
    the start under the name `first`.
    """
    verified = Verified()
    verify(program, verified)
    decisions: list[Decision] = []
    setting = Setting(machine, decisions.append, choices)
    dumps = Dumps(dump)
    dumps.write(first, program, changed=True)
    steps: list[Step] = []
    for number, one in enumerate(passes, 1):
        if progress:
            progress(one.name, number, len(passes))
        require(program, one, setting)
        start = perf_counter()
        before, program = program, checked_run(program, one, setting, dumps, verified)
        steps.append(Step(one.name, perf_counter() - start, program is not before))
        dumps.write(one.name, program, changed=program is not before)
    return Outcome(program, tuple(steps), tuple(decisions))


def require(program: Form, one: Pass, setting: Setting) -> None:
    """Raise if the program lacks what a pass needs."""
    for name in one.requires:
        needed = PROPERTIES[name]
        fault = needed.fault(program, setting)
        if fault:
            raise LxcError(
                "LXC-E0204",
                f"the pass {one.name} cannot run here",
                expected=f"{name}: {needed.meaning}",
                actual=fault,
            )


def checked_run(
    program: Form, one: Pass, setting: Setting, dumps: "Dumps", verified: Verified
) -> Form:
    """Return the program after one pass, or raise one error that says what it broke."""
    where = f"the pass {one.name}"
    try:
        result: Form = one.run(program, setting)
    except Exception as problem:
        raise InternalError(where, f"{problem}{dumps.last}") from problem
    try:
        verify(result, verified)
    except BrokenInvariant as problem:
        line = f"\n  {problem.op}" if problem.op else ""
        raise InternalError(where, f"{problem.summary}{line}{dumps.last}") from problem
    for name in one.guarantees:
        fault = PROPERTIES[name].fault(result, setting)
        if fault:
            raise InternalError(where, f"it promises {name}: {fault}{dumps.last}")
    return result


class Dumps:
    """Numbered files of one run of passes, or none."""

    def __init__(self, folder: Path | None) -> None:
        """Make the folder if there is to be one."""
        self.folder = folder
        self.count = 0
        self.last = ""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, program: Form, *, changed: bool) -> None:
        """Write the next file; `last` tells where it is, for messages."""
        if self.folder is None:
            return
        text = str(program)
        path = self.folder / f"{self.count:02}-{name}.lxir"
        path.write_text(text if changed else f"; unchanged by {name}\n{text}", "utf-8")
        self.count += 1
        self.last = f"\n  The graph before it is in {path}."
