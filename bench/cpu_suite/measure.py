"""Build a case everywhere, check it, and time the contenders in turns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from cpu_suite.case import Case
from cpu_suite.contenders import CONTENDERS
from cpu_suite.outcome import Outcome, Result, judged
from cpu_suite.prepared import Prepared
from cpu_suite.process import Lost, Worker
from lxc.benchmarking.turns import Pace, order, pace_of, warm_calls

# Returns 1e9 per second, multiply-adds for 0 or reads over so many bytes.
Probe = Callable[[int], float]


class Workers:
    """The processes of all contenders; one that is lost is started again when needed."""

    def __init__(self, processors: list[int], folder: Path) -> None:
        """Start nothing yet; everyone gets a thread for each of these processors."""
        self.processors, self.folder = processors, folder
        self.running: dict[str, Worker] = {}

    def ask(self, name: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer of a contender; where there is none, the status says why."""
        try:
            worker = self.running.get(name)
            if worker is None:
                worker = Worker(name, self.processors, self.folder / f"{name}.log")
                self.running[name] = worker
            if worker.hello["status"] != "ok":
                return worker.hello
            return worker.ask(request, seconds)
        except Lost as lost:
            self.running.pop(name, None)
            return {"status": lost.status, "detail": lost.detail}

    def close(self) -> None:
        """End all processes."""
        for worker in self.running.values():
            worker.close()


@dataclass(frozen=True)
class Match:
    """The contenders, the number of turns, and the seconds that an answer may take."""

    workers: Workers
    names: Sequence[str]
    rounds: int
    limit: float
    probe: Probe

    def play(self, case: Case) -> Result:
        """Return the outcome of every contender in a case."""
        names = [n for n in self.names if case.name.startswith(CONTENDERS[n].only)]
        folder = self.workers.folder / "case"
        rmtree(folder, ignore_errors=True)
        folder.mkdir()
        request = {"do": "build", "case": case.name, "folder": str(folder)}
        reply = self.workers.ask("reference", request, self.limit)
        if reply["status"] != "ok":
            detail = f"no reference: {reply.get('detail', reply['status'])}"
            return Result(case.name, {}, {n: Outcome("failed", detail) for n in names})
        outcomes = {
            name: judged(
                self.workers.ask(name, request, self.limit), CONTENDERS[name].tolerance
            )
            for name in names
        }
        facts = Prepared(case, folder).facts()
        rates = self.take_turns(outcomes, facts["bytes"])
        return Result(case.name, {**facts, **rates}, outcomes)

    def take_turns(self, outcomes: dict[str, Outcome], size: int) -> dict[str, float]:
        """Time the contenders round by round; return what the machine reached beside."""
        paces = dict(self.paces(outcomes))
        rates = {"fma_gflops": 0.0, "read_gbs": 0.0}
        for turn in range(self.rounds):
            rates["fma_gflops"] = max(rates["fma_gflops"], self.probe(0))
            rates["read_gbs"] = max(rates["read_gbs"], self.probe(size))
            for name in order(list(paces), turn):
                if turn < paces[name].turns and outcomes[name].status == "ok":
                    outcomes[name].add(self.time_of(name, outcomes[name], paces[name]))
        return rates

    def paces(self, outcomes: dict[str, Outcome]) -> Iterator[tuple[str, Pace]]:
        """Yield the pace of every contender that works."""
        for name, outcome in outcomes.items():
            if outcome.status == "ok":
                trial = Pace(1, warm_calls(8, outcome.first_seconds), 1)
                slices = self.time_of(name, outcome, trial)
                if slices:
                    yield name, pace_of(min(slices), self.rounds)

    def time_of(self, name: str, outcome: Outcome, pace: Pace) -> list[float]:
        """Return the seconds per call slice by slice; without any the outcome says why."""
        request = {"do": "time", "calls": pace.calls, "warm": pace.warm}
        reply = self.workers.ask(name, request, self.limit)
        if "seconds" in reply:
            return list(map(float, reply["seconds"]))
        outcome.status, outcome.detail = reply["status"], reply.get("detail", "")
        return []
