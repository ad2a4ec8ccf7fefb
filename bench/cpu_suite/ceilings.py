"""What no program can beat on this machine: a small C program measures it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "ceilings.c"
LEAST_BYTES = 4096


@dataclass(frozen=True)
class Ceilings:
    """1e9 operations, and 1e9 bytes by level, per second of all processors together."""

    flops: float
    reads: dict[str, float]

    def json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return {"fma_gflops": self.flops, "read_gbs": self.reads}

    def better(self, other: "Ceilings") -> "Ceilings":
        """Return the larger number of each."""
        reads = {name: max(rate, other.reads[name]) for name, rate in self.reads.items()}
        return Ceilings(max(self.flops, other.flops), reads)

    def __str__(self) -> str:
        """Return one line."""
        reads = ", ".join(f"{name} {rate:.3g}" for name, rate in self.reads.items())
        return f"FMA {self.flops:.0f} GFLOP/s, reads {reads} GB/s"


@dataclass(frozen=True)
class Gauge:
    """The program, and the processors it runs on, one thread each."""

    program: Path
    processors: tuple[int, ...]

    def best(self, size: int, seconds: float, repeats: int) -> float:
        """Return the best of some repeats: reads of `size` bytes, or FMA for 0.

        The bytes are shared out among the threads.
        """
        each = max(size // len(self.processors), LEAST_BYTES) if size else 0
        numbers = (seconds, repeats, each, *self.processors)
        command = [str(self.program), *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return max(map(float, done.stdout.split()))

    def probe(self, size: int) -> float:
        """Return one short measurement."""
        return self.best(size, 0.004, 2)

    def ceilings(self, caches: dict[str, int]) -> Ceilings:
        """Return the ceilings: each level is read with memory that fits well inside."""
        count = len(self.processors)
        sizes = {
            "L1": count * caches["L1"] // 2,
            "L2": count * caches["L2"] // 2,
            "L3": max(4 * caches["L2"], caches["L3"] // 8),
            "DRAM": max(4 * caches["L3"], 256 << 20),
        }
        reads = {
            name: self.best(size, 0.01, 4 if name == "DRAM" else 15)
            for name, size in sizes.items()
        }
        return Ceilings(self.best(0, 0.01, 15), reads)


def compiled(folder: Path) -> Path:
    """Return the program, compiled for this processor."""
    program = folder / "ceilings"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
    subprocess.run(["cc", *flags, "-o", str(program), str(SOURCE)], check=True)
    return program
