"""Busy functions of a target as a library, run on several threads at once."""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from time import thread_time_ns
from typing import Any

from lxc.runtime.library import map_code
from lxc.runtime.memory import Array, address, aligned_bytes
from lxc.targets.llvm.gauges import (
    MULTIPLY_ADDS,
    READS,
    READS_AHEAD,
    Gauge,
    gauge_for,
    gauge_object,
)
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain
from lxc.targets.target import Target

LEAST_NANOSECONDS = 2_000_000
REPEATS = 12
Busy = Callable[[int], Any]
"""A function that does so many rounds of its work."""


@dataclass(frozen=True)
class GaugeLibrary:
    """The functions for one target and type of numbers, mapped into this process."""

    gauge: Gauge
    handle: ctypes.CDLL

    def flops(self, threads: int) -> float:
        """Return the most multiply-adds, counted twice, per nanosecond of some threads."""
        blocks = [aligned_bytes(self.gauge.room) for _ in range(threads)]
        run = self.handle[MULTIPLY_ADDS]
        busy = [caller(run, start(block)) for block in blocks]
        return best_rate(busy, self.gauge.flops)

    def bytes(self, size: int, threads: int) -> float:
        """Return the most bytes per nanosecond that some threads read of so many bytes."""
        count = max(1, size // threads // self.gauge.bytes)
        sums = [aligned_bytes(self.gauge.room) for _ in range(threads)]
        blocks = [aligned_bytes(count * self.gauge.bytes) for _ in range(threads)]
        rates = []
        for name in (READS, READS_AHEAD):
            busy = [
                caller(self.handle[name], start(own), start(block), ctypes.c_int64(count))
                for own, block in zip(sums, blocks, strict=True)
            ]
            rates.append(best_rate(busy, count * self.gauge.bytes))
        return max(rates)


def gauge_library(target: Target, dtype: str) -> GaugeLibrary:
    """Return the busy functions for a target and a type of numbers."""
    toolchain = find_toolchain(compiler_for(target.triple))
    with TemporaryDirectory(prefix="lxc-gauge-") as path:
        folder = Path(path)
        (folder / "gauge.o").write_bytes(gauge_object(target, dtype))
        command = [toolchain.compiler, "-shared", "-nostdlib", "-Wl,-z,noexecstack"]
        toolchain.run([*command, "-o", "gauge.so", "gauge.o"], folder)
        code = (folder / "gauge.so").read_bytes()
    return GaugeLibrary(gauge_for(target.machine, dtype), map_code(code, "gauge"))


def start(block: Array) -> ctypes.c_void_p:
    """Return where a block of memory starts."""
    block.fill(0)
    return ctypes.c_void_p(address(block))


def caller(function: Any, *arguments: Any) -> Busy:
    """Return a function of the number of rounds."""
    return lambda rounds: function(*arguments, ctypes.c_int64(rounds))


def best_rate(busy: list[Busy], work: int) -> float:
    """Return the most work per nanosecond that the functions do side by side.

    The time is that for which each of them had a processor: other programs that take one
    away for a while do not lower what the machine can do.
    """
    rounds = rounds_of(busy[0])
    barrier = Barrier(len(busy))

    def rate(one: Busy) -> float:
        barrier.wait()
        begin = thread_time_ns()
        one(rounds)
        return rounds * work / max(1, thread_time_ns() - begin)

    with ThreadPoolExecutor(len(busy)) as threads:
        return max(sum(threads.map(rate, busy)) for _ in range(REPEATS))


def rounds_of(one: Busy) -> int:
    """Return how many rounds take a moment that a clock can measure."""
    rounds = 1
    while True:
        begin = thread_time_ns()
        one(rounds)
        if thread_time_ns() - begin >= LEAST_NANOSECONDS:
            return rounds
        rounds *= 2
