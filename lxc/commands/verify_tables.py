"""What `lxc verify` prints for people."""

from collections.abc import Mapping, Sequence

import click

from lxc.commands.screen import print_table
from lxc.errors import printable
from lxc.verification.finding import Finding
from lxc.verification.given import Given
from lxc.verification.judgement import Judgement
from lxc.verification.layer_errors import LayerError
from lxc.verification.nonfinite import NonFinite
from lxc.verification.target_check import Verified
from lxc.verification.trace import Trace

RESULT_COLUMNS = (
    "result",
    "error",
    "allowed",
    "NumPy's",
    "max ULP",
    "99.9% ULP",
    "cosine",
    "",
)
LAYER_COLUMNS = ("layer", "product", "precision", "error", "allowed", "")
HISTOGRAM_COLUMNS = ("result", "ULP", "elements", "share")


def show_values(given: Given) -> None:
    """Print where the values come from."""
    origins = "; ".join(f"{name}: {text}" for name, text in given.origins.items())
    sizes = ", ".join(f"{name}={size}" for name, size in given.sizes.items())
    click.echo(printable(f"{origins}{f'; {sizes}' if sizes else ''}"))


def show_target(one: Verified, *, histogram: bool) -> None:
    """Print what was found about the results of the code for one target."""
    if one.reason:
        click.echo(printable(f"{one.target} was not run: {one.reason}"))
        return
    rows = [judgement_row(found) for found in one.judgements]
    print_table(f"{one.target}, errors by the largest result", RESULT_COLUMNS, rows)
    if histogram:
        groups = [row for found in one.judgements for row in histogram_rows(found)]
        print_table(f"{one.target}, distances in ULP", HISTOGRAM_COLUMNS, groups)


def show_losses(losses: Sequence[LayerError]) -> None:
    """Print what products lose by lower precision."""
    if losses:
        title = "lower precision, given exact factors"
        print_table(title, LAYER_COLUMNS, [loss_row(loss) for loss in losses])


def show_traces(traces: Mapping[str, Trace], lost: NonFinite | None) -> None:
    """Print where code first goes wrong, and numbers leave the range of their type."""
    for target, trace in traces.items():
        for line in trace_lines(trace):
            click.echo(printable(f"{target}: {line}"))
    if lost is not None:
        at = f" at {', '.join(lost.layers)}" if lost.layers else ""
        click.echo(
            printable(
                f"first number out of range: {lost.op}{at} gives {lost.found:g} in its own "
                f"type where float64 gives {lost.exact:g}, in {lost.count} elements"
            )
        )


def trace_lines(trace: Trace) -> list[str]:
    """Return what is told of a trace."""
    if trace.reason:
        return [f"its first wrong kernel cannot be told: {trace.reason}"]
    whose = "the IR compiled again, with the same results" if trace.is_reproduced else ""
    told = f"{trace.read} of {trace.values} values compared, read out of " + (
        whose
        or "the memory of the artifact's own code, which the IR compiled again "
        "does not behave like"
    )
    if trace.finding is None:
        return [told, "each of them is right, given the values in front of it"]
    return [told, *finding_lines(trace.finding)]


def finding_lines(found: Finding) -> list[str]:
    """Return what is told of the first wrong value."""
    *before, last = found.suspects
    index = f"[{', '.join(map(str, found.index))}]"
    errors = (found.error, found.allowed, found.numpy)
    error, allowed, own = (f"{one:.1e}" for one in errors)
    when = "in prepare" if found.phase == "prepare" else "in a call"
    return [
        f"the first wrong value {when} is that of {last}",
        f"its element {index} is {found.found:.9g} and ought to be {found.exact:.9g}",
        f"its error is {error}, allowed {allowed}, NumPy's {own}",
        *(["one of what is in front of it may be at fault too:"] if before else []),
        *(f"  {place}" for place in before),
    ]


def histogram_rows(found: Judgement) -> list[tuple[str, ...]]:
    """Return the groups of one result as texts."""
    groups = found.histogram.groups if found.histogram else []
    total = sum(count for _, count in groups)
    return [
        (printable(found.name), name, str(count), f"{count / total:.2%}")
        for name, count in groups
    ]


def judgement_row(found: Judgement) -> tuple[str, ...]:
    """Return the judgement of one result as texts."""
    numbers = (found.error, found.allowed, found.numpy)
    units = (found.most_ulp, found.high_ulp)
    return (
        printable(found.name),
        *(f"{one:.1e}" for one in numbers),
        *("" if one is None else f"{one:.1f}" for one in units),
        "" if found.cosine is None else f"{found.cosine:.9f}",
        "" if found.agrees else "DIFFERS",
    )


def loss_row(loss: LayerError) -> tuple[str, ...]:
    """Return what one product loses as texts."""
    return (
        printable(loss.layer),
        loss.product,
        loss.precision,
        f"{loss.error:.1e}",
        f"{loss.allowed:.1e}",
        "" if loss.agrees else "DIFFERS",
    )
