"""The process of one contender: it answers one line of JSON with one line of JSON."""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from cpu_suite.cases import BY_NAME
from cpu_suite.contenders import CONTENDERS, Contender
from cpu_suite.contenders.ready import NotWritten, Ready
from cpu_suite.prepared import NotThere, Prepared

DIE_WITH_PARENT = 1
SLICES = 20
UNDISTURBED = 0.95
"""A slice with a smaller share of a processor is timed again, ..."""
TRIES = 5
TRIES_SECONDS = 0.5
"""... so many times at most, and no more once so much time is gone."""
REFERENCE = Contender("reference", ("torch",))


def main(name: str, processors: str) -> None:
    """Serve requests until the pipe closes; what libraries print goes to stderr."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    places = [int(number) for number in processors.split(",")]
    os.sched_setaffinity(0, places)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    hello, build = imported(REFERENCE if name == "reference" else CONTENDERS[name])
    tell(replies, hello)
    ready: Ready | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "build":
            ready = None
            reply, ready = built(build, request, len(places))
        elif ready is None:
            reply = {"status": "failed", "detail": "nothing is built"}
        else:
            reply = {"seconds": timed(ready, request["calls"], request["warm"])}
        tell(replies, reply)


def imported(contender: Contender) -> tuple[dict[str, Any], Any]:
    """Return the first reply, and the function that builds; it is None without a module."""
    try:
        module = importlib.import_module(f"cpu_suite.contenders.{contender.module}")
    except ImportError as error:
        return {"status": "absent", "detail": str(error)}, None
    return {"status": "ok"}, partial(module.build, **contender.settings)


def tell(stream: TextIO, reply: dict[str, Any]) -> None:
    """Write one line."""
    stream.write(json.dumps(reply) + "\n")
    stream.flush()


def built(
    build: Any, request: dict[str, Any], threads: int
) -> tuple[dict[str, Any], Ready | None]:
    """Return how a build went: its seconds, the error of its outputs, a first call."""
    prepared = Prepared(BY_NAME[request["case"]], Path(request["folder"]))
    start = time.perf_counter()
    try:
        ready: Ready = build(prepared, threads)
        middle = time.perf_counter()
        ready.call()
        first = time.perf_counter() - middle
        error = prepared.error_of(ready.outputs())
    except NotWritten:
        return {"status": "not written"}, None
    except NotThere as missing:
        return {"status": "failed", "detail": str(missing)}, None
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return {"status": "failed", "detail": text[:500]}, None
    reply = {"status": "ok", "build_seconds": middle - start, "first_seconds": first}
    return {**reply, "error": error, "notes": dict(ready.notes)}, ready


def timed(ready: Ready, calls: int, warm: int) -> list[float]:
    """Return the seconds per call in every slice of a turn, after those to warm up.

    A slice during which other programs had the processor is timed again.
    """
    loop = partial(looped, ready.call) if ready.timed is None else ready.timed
    if warm:
        loop(warm)
    slices = min(SLICES, calls)
    return [undisturbed(loop, calls // slices) for _ in range(slices)]


def undisturbed(loop: Callable[[int], float], count: int) -> float:
    """Return the seconds per call of a slice in which this process had a processor.

    After some tries it is the slice that had the largest share of one.
    """
    found: list[tuple[float, float]] = []
    start = time.perf_counter()
    while True:
        worked, begin = time.process_time(), time.perf_counter()
        seconds = loop(count)
        spent = time.perf_counter() - begin
        share = (time.process_time() - worked) / spent
        found.append((share, seconds))
        if share >= UNDISTURBED:
            return seconds
        if len(found) == TRIES or time.perf_counter() - start > TRIES_SECONDS:
            return max(found)[1]


def looped(call: Callable[[], Any], count: int) -> float:
    """Return the seconds per call."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
