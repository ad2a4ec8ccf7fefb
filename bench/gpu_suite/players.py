"""The caller's side of the process that uses the card.

A kernel that reads where it must not leaves a process without its card, and one that waits
for ever keeps it. Such a process is ended, and the next task gets another one.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_suite.process import Lost, Process
from gpu_suite.cases import Task
from gpu_suite.verdict import Verdict

SCRIPT = Path(__file__).parent.parent / "gpu_worker.py"
CHECKOUT = SCRIPT.parent.parent
LIMITS_SECONDS = 120.0


@dataclass
class Players:
    """A process that uses the card, started when it is first needed.

    `options` are the folder of artifacts, the rivals and the rounds. One step of a task, a
    contender or the timing of all, may take so many `seconds`.
    """

    options: tuple[Path, str, int]
    seconds: float
    log: Path
    running: Process | None = None

    def process(self) -> Process:
        """Return the process; raises Lost if there is no torch or no card."""
        if self.running is None:
            # Where there is a checkout and no more, lxc is not installed.
            paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
            settings = {"PYTHONPATH": os.pathsep.join(paths)}
            made = Process([str(SCRIPT), *map(str, self.options)], settings, self.log)
            if made.hello["status"] != "ok":
                made.close()
                raise Lost("absent", made.hello["detail"])
            self.running = made
        return self.running

    def machine(self) -> dict[str, Any]:
        """Return the names of the card and of torch, and what the card reaches.

        Without the latter the tasks can be measured all the same.
        """
        process = self.process()
        facts = {name: process.hello[name] for name in ("card", "torch")}
        try:
            return {**facts, **process.ask({"do": "limits"}, LIMITS_SECONDS)}
        except Lost as lost:
            self.close()
            return {**facts, "roofline": {}, "roofline_problem": lost.detail}

    def play(self, task: Task) -> Verdict:
        """Return the verdict of a task, of which whoever ends the process is told."""
        step = "start"
        try:
            process = self.process()
            reply = process.ask({"do": "play", "case": task.name}, self.seconds)
            while "begin" in reply:
                step = reply["begin"]
                reply = process.answer(self.seconds)
        except Lost as lost:
            self.close()
            return Verdict(task.name, problems={step: lost.detail})
        if not reply.pop("is_usable"):
            self.close()
        return Verdict(task.name, **reply)

    def close(self) -> None:
        """End the process."""
        if self.running is not None:
            self.running.close()
        self.running = None
