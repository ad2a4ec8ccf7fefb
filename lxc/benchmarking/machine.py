"""Facts about this machine that say what a measured time is worth."""

import os
import platform
from math import ceil
from pathlib import Path
from typing import Any

from lxc.runtime.features import first_processor, this_machine

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# Used where the kernel does not say: usual sizes, small enough to be there.
USUAL_CACHES = {"L1": 32 << 10, "L2": 512 << 10, "L3": 8 << 20}
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
GROUPS, GROUP_LIMITS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
LONGEST = 4096


def processors() -> list[int]:
    """Return the processors that this process may use."""
    return sorted(os.sched_getaffinity(0))


def paid_processors() -> float | None:
    """Return how many processors the control group may keep busy; None without a limit."""
    limits = []
    group = GROUP_LIMITS / text_of(GROUPS).rpartition("::")[2].strip().lstrip("/")
    for folder in (group, *group.parents):
        quota, _, period = text_of(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.strip().isdecimal() and int(period):
            limits.append(int(quota) / int(period))
        if folder == GROUP_LIMITS:
            break
    return min(limits, default=None)


def usable_threads() -> int:
    """Return how many threads can run at once here: at most so many are worth it."""
    paid = paid_processors()
    allowed = len(processors())
    return allowed if paid is None else max(1, min(allowed, ceil(paid)))


def cache_sizes() -> dict[str, int]:
    """Return the bytes of the data caches of one processor by level."""
    sizes = dict(USUAL_CACHES)
    for index in sorted(CACHES.glob("index*")):
        if text_of(index / "type") != "Instruction":
            level, text = text_of(index / "level"), text_of(index / "size")
            sizes[f"L{level}"] = int(text.rstrip("KM")) << (20 if text[-1] == "M" else 10)
    return sizes


def processor_name() -> str:
    """Return the name of the processor, as the kernel tells it."""
    for line in first_processor().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.isprintable():
            return value.strip()
    return platform.machine()


def governor() -> str | None:
    """Return by what rule the clock of the processor is chosen; None if nobody tells."""
    return text_of(GOVERNOR) or None


def facts() -> dict[str, Any]:
    """Return the machine, its caches and how busy it is."""
    here = this_machine()
    return {
        "processor": processor_name(),
        "architecture": here.architecture,
        "features": sorted(here.features),
        "processors": processors(),
        "paid_processors": paid_processors(),
        "virtual": "hypervisor" in here.features,
        "governor": governor(),
        "caches": cache_sizes(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "glibc": here.glibc,
        "python": platform.python_version(),
        "load": list(os.getloadavg()),
    }


def text_of(path: Path) -> str:
    """Return what the kernel says in a small file; nothing where there is none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(LONGEST).strip()
    except OSError:
        return ""
