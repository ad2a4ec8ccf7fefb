"""What `lxc profile` prints for people."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import click
import numpy as np

from lxc.commands.screen import print_facts, print_table
from lxc.commands.times import time_text
from lxc.errors import printable
from lxc.profiling.profile import Profile, Row

COLUMNS = (
    *("kernel", "layers", "time", "min", "share", "so far", "calls"),
    *("GFLOP/s", "GB/s", "of limit", "bound"),
)
LAYER_COLUMNS = (
    *("layer", "time", "share", "so far"),
    *("kernels", "calls", "GFLOP/s", "GB/s"),
)


def show(profile: Profile, origins: Mapping[str, str], levels: int) -> None:
    """Print everything: layers by so many levels of their paths, kernels for 0."""
    show_facts(profile, origins)
    if levels:
        show_layers(profile, levels)
    else:
        print_table("kernels of a call", COLUMNS, kernel_rows(profile.rows))
        if profile.prepare:
            title = "kernels that run once for a set of parameters"
            print_table(title, COLUMNS, kernel_rows(profile.prepare))
    show_call(profile)
    for note in (*profile.notes, *profile.warnings):
        click.echo(printable(f"warning: {note}"))


def show_facts(profile: Profile, origins: Mapping[str, str]) -> None:
    """Print what was measured, and where."""
    sizes = ", ".join(f"{name}={size}" for name, size in profile.sizes.items())
    values = "; ".join(f"{name}: {text}" for name, text in origins.items())
    limits = ", ".join(
        f"{one['what']} {one['rate']:.3g} {one['unit']}{threads_text(one['threads'])}"
        for one in profile.ceilings
    )
    facts = [
        ("code", f"{profile.target}{threads_text(profile.threads)}"),
        ("values", values + (f"; {sizes}" if sizes else "")),
        (
            "machine",
            f"{profile.machine['processor']}, load {profile.machine['load'][0]:.1f}",
        ),
        ("limits", limits or "none"),
    ]
    print_facts([(name, printable(text)) for name, text in facts])


def threads_text(threads: int) -> str:
    """Return on how many threads something runs."""
    return f" on {threads} threads" if threads > 1 else " on 1 thread"


def kernel_rows(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the rows of kernels as texts."""
    total = sum(row.median for row in rows) or 1.0
    sums = accumulate(row.median for row in rows)
    return [
        (
            printable(row.name),
            printable(", ".join(row.layers)),
            time_text(row.median / 1e9),
            time_text(row.least / 1e9),
            f"{row.median / total:.1%}",
            f"{so_far / total:.1%}",
            str(row.calls),
            rate_text(row.rate(row.flops)),
            rate_text(row.rate(row.bytes)),
            *limit_texts(row),
        )
        for row, so_far in zip(rows, sums, strict=True)
    ]


def rate_text(rate: float | None) -> str:
    """Return 1e9 per second of something, or nothing where there is none."""
    return f"{rate:.3g}" if rate else ""


def limit_texts(row: Row) -> tuple[str, str]:
    """Return how much of its time a kernel needs at least, and why."""
    if row.limit is None or row.of_limit is None:
        return "", ""
    return f"{row.of_limit:.0%}", row.limit.bound


def show_layers(profile: Profile, levels: int) -> None:
    """Print the time of layers."""
    rows = profile.by_layer(levels)
    sums = accumulate(row.median for row in rows)
    table = [
        (
            printable(row.layer),
            time_text(row.median / 1e9),
            f"{profile.share(row.median):.1%}",
            f"{profile.share(so_far):.1%}",
            str(row.kernels),
            str(row.calls),
            rate_text(row.flops / row.median if row.median else None),
            rate_text(row.bytes / row.median if row.median else None),
        )
        for row, so_far in zip(rows, sums, strict=True)
    ]
    print_table("layers of a call", LAYER_COLUMNS, table)


def show_call(profile: Profile) -> None:
    """Print the times of whole calls, and how much of them the kernels are."""
    found = profile.measured
    facts: list[tuple[str, Any]] = [
        ("kernels", f"{time_text(profile.kernels_nanoseconds / 1e9)}, added up"),
        ("call", f"{both(found.plain)}, without time stamps"),
        ("traced call", f"{both(found.traced)}, {len(found.trace.times)} calls"),
        ("coverage", f"{profile.coverage:.1%} of the quickest call is kernels"),
        ("time stamp", f"{time_text(found.trace.stamp / 1e9)} each, taken off"),
    ]
    print_facts(facts)


def both(times: Any) -> str:
    """Return what is usual, and the least."""
    return (
        f"{time_text(float(np.median(times)) / 1e9)}, "
        f"at least {time_text(float(np.min(times)) / 1e9)}"
    )
