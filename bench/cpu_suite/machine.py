"""Facts about this machine, and the versions of what runs on it."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from cpu_suite.contenders import CONTENDERS

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# Used where the kernel does not say: usual sizes, small enough to be there.
USUAL = {"L1": 32 << 10, "L2": 512 << 10, "L3": 8 << 20}


def processors() -> list[int]:
    """Return the processors that this process may use."""
    return sorted(os.sched_getaffinity(0))


def cache_sizes() -> dict[str, int]:
    """Return the bytes of the data caches of one processor by level."""
    sizes = dict(USUAL)
    for index in sorted(CACHES.glob("index*")):
        if (index / "type").read_text().strip() != "Instruction":
            level = (index / "level").read_text().strip()
            text = (index / "size").read_text().strip()
            sizes[f"L{level}"] = int(text.rstrip("KM")) << (20 if text[-1] == "M" else 10)
    return sizes


def processor_name() -> str:
    """Return what the processor calls itself."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def facts() -> dict[str, Any]:
    """Return the machine, its caches and how busy it is."""
    return {
        "processor": processor_name(),
        "processors": processors(),
        "caches": cache_sizes(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": list(os.getloadavg()),
    }


def versions() -> dict[str, str]:
    """Return the version of every contender's packages, and `not installed`."""
    names = {name for one in CONTENDERS.values() for name in one.distributions}
    return {name: version(name) for name in sorted({*names, "torch", "onnx", "numpy"})}


def version(name: str) -> str:
    """Return the version of a package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
