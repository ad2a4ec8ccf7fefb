"""A profile as JSON values: what `lxc profile --json` prints, and other tools read."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from lxc.profiling.profile import Profile, Row
from lxc.runtime.memory import Array

FORMAT = 1
FACTS = ("name", "ops", "layers", "result", "algorithm", "tiles", "precision", "parallel")


def described(profile: Profile, levels: int) -> dict[str, Any]:
    """Return everything; layers by the first levels of their paths."""
    measured = profile.measured
    return {
        "format": FORMAT,
        "name": profile.name,
        "target": profile.target,
        "threads": profile.threads,
        "dimensions": dict(profile.sizes),
        "calls": len(measured.trace.times),
        "nanoseconds": {
            "call": summary(measured.plain),
            "traced_call": summary(measured.traced),
            "kernels": profile.kernels_nanoseconds,
            "stamp": measured.trace.stamp,
        },
        "coverage": profile.coverage,
        "kernels": rows_described(profile.rows),
        "layers": layers_described(profile, levels),
        "prepare": rows_described(profile.prepare),
        "ceilings": [dict(one) for one in profile.ceilings],
        "machine": dict(profile.machine),
        "notes": list(profile.notes),
        "warnings": profile.warnings,
    }


def summary(times: Array) -> dict[str, float]:
    """Return what is usual, and the fewest."""
    return {"median": float(np.median(times)), "min": float(np.min(times))}


def rows_described(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows with their shares, which add up to 1."""
    total = sum(row.median for row in rows) or 1.0
    sums = accumulate(row.median for row in rows)
    return [
        {
            "number": row.number,
            **{key: row.facts[key] for key in FACTS if key in row.facts},
            "calls": row.calls,
            "nanoseconds": summary(row.times),
            "share": row.median / total,
            "cumulative": so_far / total,
            "flops": row.flops,
            "bytes": row.bytes,
            "gflops": row.rate(row.flops),
            "gb_per_second": row.rate(row.bytes),
            "roofline": roofline(row),
        }
        for row, so_far in zip(rows, sums, strict=True)
    ]


def roofline(row: Row) -> dict[str, Any] | None:
    """Return the least time, what sets it, and how much of the time that is."""
    if row.limit is None:
        return None
    return {
        "nanoseconds": row.limit.nanoseconds,
        "bound": row.limit.bound,
        "fraction": row.of_limit,
    }


def layers_described(profile: Profile, levels: int) -> list[dict[str, Any]]:
    """Return the time of each layer."""
    return [
        {
            "layer": row.layer,
            "kernels": row.kernels,
            "calls": row.calls,
            "nanoseconds": row.median,
            "share": profile.share(row.median),
            "flops": row.flops,
            "bytes": row.bytes,
        }
        for row in profile.by_layer(levels)
    ]
