"""Facts about the machine that the benchmark notes, and the versions of what runs on it."""

import os
import platform
from importlib import metadata
from typing import Any

from cpu_suite.contenders import CONTENDERS
from lxc.benchmarking.machine import cache_sizes, processor_name, processors


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
