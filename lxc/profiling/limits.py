"""The least time that a kernel can take on this machine: its roofline."""

from dataclasses import dataclass

from lxc.profiling.ceilings import Ceilings
from lxc.profiling.traffic import Traffic

COMPUTE = "compute"


@dataclass(frozen=True)
class Work:
    """What one run of a kernel does: operations, bytes, and on how many threads."""

    flops: int
    bytes: int
    dtype: str
    threads: int


@dataclass(frozen=True)
class Limit:
    """The least nanoseconds, and what sets them: `compute`, a cache or memory."""

    nanoseconds: float
    bound: str


def limit_of(work: Work, traffic: Traffic, ceilings: Ceilings) -> Limit | None:
    """Return the limit of a kernel; None if it neither computes nor moves anything.

    Weights come from where a pass over all kernels finds them, everything else from the
    smallest cache that holds what the kernel touches. Bytes and operations overlap, so the
    longer of both counts.
    """
    if not work.flops and not work.bytes:
        return None
    computing = work.flops / ceilings.flops(work.dtype, work.threads) if work.flops else 0
    weights = min(traffic.weights, work.bytes)
    moving = []
    for count, size in ((weights, traffic.between), (work.bytes - weights, work.bytes)):
        if count:
            level, rate = ceilings.reads(size, work.threads)
            moving.append(Limit(count / rate, level))
    whole = sum(part.nanoseconds for part in moving)
    if computing >= whole:
        return Limit(computing, COMPUTE)
    return Limit(whole, max(moving, key=lambda part: part.nanoseconds).bound)
