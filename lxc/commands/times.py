"""What `lxc bench` prints for people."""

from collections.abc import Callable

import click

from lxc.benchmarking.order_statistics import Interval
from lxc.benchmarking.race import Race
from lxc.benchmarking.verdict import Verdict
from lxc.commands.screen import print_facts, print_table
from lxc.errors import printable

UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
WORDS = {"faster": "FASTER than", "slower": "SLOWER than", "same": "as fast as"}


def show_race(race: Race) -> None:
    """Print what was measured, the times, the verdicts, and reasons for doubt."""
    show_facts(race)
    columns = ("call of", *next(iter(race.measured.values())).times, "calls/s", "rows/s")
    rows = []
    for name, one in race.measured.items():
        second = one.calls_per_second
        by_row = f"{race.rows * second:,.0f}" if race.rows else ""
        times = (time_text(seconds) for seconds in one.times.values())
        rows.append((printable(name), *times, f"{second:,.0f}", by_row))
    print_table("times of a call", columns, rows)
    for name, one in race.measured.items():
        click.echo(printable(f"{name}: median {enclosed(one.interval, time_text)}"))
    for verdict in race.verdicts:
        click.echo(printable(verdict_text(race.contestants[0].name, verdict)))
    for warning in race.warnings:
        click.echo(printable(f"warning: {warning}"))


def show_facts(race: Race) -> None:
    """Print what was called, on what, and where."""
    own, machine = race.contestants[0], race.machine
    measured = race.measured[own.name]
    sizes = ", ".join(f"{name}={size}" for name, size in race.given.sizes.items())
    origins = "; ".join(f"{name}: {text}" for name, text in race.given.origins.items())
    count, rounds = len(measured.samples) * measured.each, len(measured.turns)
    each = f", {measured.each} at a time" if measured.each > 1 else ""
    facts = (
        ("call", f"{own.facts['call']}, {own.facts['target']}, threads: {race.threads}"),
        ("values", origins + (f"; {sizes}" if sizes else "")),
        ("machine", f"{machine['processor']}, load {machine['load'][0]:.1f}"),
        ("measured", f"{count:,} calls in {rounds} rounds{each}"),
    )
    print_facts([(name, printable(text)) for name, text in facts])


def verdict_text(own: str, verdict: Verdict) -> str:
    """Return a line that says which of two is faster."""
    ratio = enclosed(verdict.ratio, "{:.3f}".format)
    return f"{own} is {WORDS[verdict.word]} {verdict.other}: time ratio {ratio}"


def enclosed(interval: Interval, text: Callable[[float], str]) -> str:
    """Return a median and what encloses it."""
    middle, low, high = map(text, (interval.middle, interval.low, interval.high))
    return f"{middle}, between {low} and {high} with {interval.confidence:.0%} confidence"


def time_text(seconds: float) -> str:
    """Return a time with three digits: `12.3 µs`."""
    unit, size = next((u for u in UNITS if seconds >= u[1]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"
