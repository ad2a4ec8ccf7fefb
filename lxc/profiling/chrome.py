"""A profile as a file that chrome://tracing and Perfetto show.

The format is the JSON of Chrome's trace events: complete events with start and length in
microseconds.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from lxc.profiling.profile import Profile, Row, layer_of

MOST_CALLS, MOST_EVENTS = 20, 200_000
KERNELS, LAYERS = 1, 2
TRACKS = {KERNELS: "kernels", LAYERS: "layers"}
LEVELS = 1


def chrome_trace(profile: Profile) -> bytes:
    """Return the last traced calls, each as an event around its kernels."""
    value = {
        "displayTimeUnit": "ns",
        "traceEvents": [*names(profile), *calls(profile)],
        "otherData": {"target": profile.target, "threads": profile.threads},
    }
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def names(profile: Profile) -> Iterator[dict[str, Any]]:
    """Yield the events that name the tracks."""
    yield metadata("process_name", 0, f"{profile.name} for {profile.target}")
    for track, name in TRACKS.items():
        yield metadata("thread_name", track, name)


def metadata(what: str, track: int, name: str) -> dict[str, Any]:
    """Return the event that gives something a name."""
    return {"ph": "M", "pid": 1, "tid": track, "name": what, "args": {"name": name}}


def calls(profile: Profile) -> Iterator[dict[str, Any]]:
    """Yield the events of calls, kernels and layers."""
    trace = profile.measured.trace
    spans = trace.spans
    count = max(1, min(MOST_CALLS, MOST_EVENTS // len(trace.numbers)))
    rows = {-1 if row.number is None else row.number: row for row in profile.rows}
    origin = int(trace.times[-count:].min())
    for place in range(max(0, len(trace.times) - count), len(trace.times)):
        times = (trace.times[place] - origin) / 1000
        whole = float(times[-1] - times[1])
        yield event(profile.name, "call", KERNELS, float(times[1]), whole, profile.sizes)
        ran = [
            (rows[int(number)], float(times[index]), float(spans[place, index]) / 1000)
            for index, number in enumerate(trace.numbers[2:].tolist(), start=1)
        ]
        for row, start, length in ran:
            yield event(row.name, "kernel", KERNELS, start, length, arguments(row))
        for layer, group in groupby(ran, key=lambda one: layer_of(one[0], LEVELS)):
            inside = list(group)
            _, last, length = inside[-1]
            first = inside[0][1]
            yield event(layer, "layer", LAYERS, first, last + length - first, {})


def event(
    name: str, kind: str, track: int, start: float, length: float, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one complete event."""
    return {
        "ph": "X",
        "pid": 1,
        "tid": track,
        "cat": kind,
        "name": name,
        "ts": round(start, 3),
        "dur": round(length, 3),
        "args": dict(more),
    }


def arguments(row: Row) -> dict[str, Any]:
    """Return what a viewer shows of a kernel."""
    return {
        "layers": ", ".join(row.layers),
        "result": row.facts.get("result", ""),
        "flops": row.flops // row.calls,
        "bytes": row.bytes // row.calls,
    }
