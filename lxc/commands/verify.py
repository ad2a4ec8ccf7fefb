"""lxc verify: the code in an artifact against the IR in it, run in float64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lxc.commands.given_values import value_options, values_for
from lxc.commands.group import verb
from lxc.commands.screen import print_json
from lxc.commands.tuning import records_option
from lxc.commands.verify_tables import show_losses, show_target, show_traces, show_values
from lxc.errors import LxcError, printable
from lxc.passes.records import Records
from lxc.record_file import given_records
from lxc.runtime.artifact import Artifact, read
from lxc.stored_model import stored_graph, stored_plan
from lxc.verification.given import Given
from lxc.verification.layer_errors import LayerError
from lxc.verification.meaning import Meaning
from lxc.verification.nonfinite import NonFinite, first_nonfinite
from lxc.verification.target_check import Verified, verify
from lxc.verification.trace import Trace, trace_of

DIFFERS = 1


@dataclass(frozen=True)
class Report:
    """Everything that was found; `traces` by the names of their targets."""

    path: Path
    given: Given
    verified: Sequence[Verified]
    losses: Sequence[LayerError]
    traces: Mapping[str, Trace]
    lost: NonFinite | None

    @property
    def wrong(self) -> list[str]:
        """The targets and layers that are further off than they may be."""
        found = [
            one.target for one in self.verified if not one.agrees or self.has_finding(one)
        ]
        return found + [loss.layer for loss in self.losses if not loss.agrees]

    def has_finding(self, one: Verified) -> bool:
        """Return whether a value inside of a target's code is wrong."""
        trace = self.traces.get(one.target)
        return trace is not None and trace.finding is not None

    def to_json(self) -> dict[str, Any]:
        """Return everything for `json`."""
        return {
            "artifact": str(self.path),
            "agrees": not self.wrong,
            "dimensions": dict(self.given.sizes),
            "origins": dict(self.given.origins),
            "targets": [self.target_json(one) for one in self.verified],
            "layers": [one.to_json() for one in self.losses],
            "out_of_range": self.lost and self.lost.to_json(),
        }

    def target_json(self, one: Verified) -> dict[str, Any]:
        """Return what was found about one target."""
        trace = self.traces.get(one.target)
        return {
            "name": one.target,
            "ran": not one.reason,
            "reason": one.reason,
            "agrees": one.agrees and not self.has_finding(one),
            "results": [found.to_json() for found in one.judgements],
            "trace": trace and trace.to_json(),
        }


@verb("lxc verify digits.lxc --input x=@images.npy")
@click.argument("artifact", type=click.Path(path_type=Path))
@value_options
@click.option("--trace", is_flag=True, help="Compare every kernel, even if results agree.")
@click.option("--histogram", is_flag=True, help="Show how many elements are how far off.")
@records_option
@click.pass_context
def command(
    context: click.Context,
    artifact: Path,
    inputs: tuple[str, ...],
    dims: tuple[str, ...],
    params: Path | None,
    state: Path | None,
    trace: bool,
    histogram: bool,
    records: Path | None,
    as_json: bool,
) -> None:
    """Run the code in ARTIFACT and compare it with the model's IR, computed in float64.

    Every target that this machine runs is compared. Inputs that are not given are drawn,
    and so are parameters and state that neither a file nor the artifact has; the same in
    every run. Where results differ, the first kernel that goes wrong is looked for. Exit
    status 1 if a result is further off than it may be.
    """
    opened = read(artifact)
    opened.verify()
    given = values_for(opened, inputs, dims, {"params": params, "state": state})
    known = given_records(records)
    found = report(artifact, opened, given, known, trace=trace)
    if as_json:
        print_json(found.to_json())
    else:
        show(found, histogram=histogram)
    if found.wrong:
        context.exit(DIFFERS)


def report(
    path: Path, artifact: Artifact, given: Given, records: Records, *, trace: bool
) -> Report:
    """Return what is found about an artifact; `trace` looks inside of code that agrees."""
    graph, plan = stored_graph(artifact), stored_plan(artifact)
    values = given.ordered(artifact.signature)
    meaning = Meaning(graph, artifact.signature, plan, values)
    verified = [verify(artifact, record, meaning, given) for record in artifact.targets]
    refuse_nothing(verified)
    traces = {
        one.target: traced(artifact, one.target, given, records, is_wanted=trace)
        for one in verified
        if not one.reason and (trace or not one.agrees)
    }
    lost = first_nonfinite(meaning.tensor_level, values) if traces else None
    return Report(path, given, verified, meaning.losses(), traces, lost)


def traced(
    artifact: Artifact, target: str, given: Given, records: Records, *, is_wanted: bool
) -> Trace:
    """Return where code first goes wrong; why that cannot be told is no error by itself.

    It is one if a trace `is_wanted`.
    """
    (record,) = (one for one in artifact.targets if one.name == target)
    try:
        return trace_of(artifact, record, given, records)
    except LxcError as error:
        if is_wanted:
            raise
        return Trace(reason=error.summary)


def refuse_nothing(verified: Sequence[Verified]) -> None:
    """Raise if no code could run: nothing was compared."""
    if all(one.reason for one in verified):
        raise LxcError(
            "LXC-E0405",
            "the artifact holds no code that this machine can run",
            actual="; ".join(one.reason for one in verified),
            hint="verify it where it runs, or `lxc upgrade` it for this machine",
        )


def show(found: Report, *, histogram: bool) -> None:
    """Print everything for people."""
    show_values(found.given)
    for one in found.verified:
        show_target(one, histogram=histogram)
    show_losses(found.losses)
    show_traces(found.traces, found.lost)
    wrong = found.wrong
    verdict = f"differs from its IR: {', '.join(wrong)}" if wrong else "agrees with its IR"
    click.echo(printable(f"{found.path} {verdict}"))
