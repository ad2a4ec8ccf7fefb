"""What every kind of card can give a kernel."""

from lxc.targets.cuda.images import Image
from lxc.targets.cuda.kernel import DeviceKernel

MOST_SPILLED_BYTES = 64
"""A kernel that keeps more than that in memory has too large a tile."""

MOST_SHARED_BYTES = {80: 163 << 10, 86: 99 << 10, 89: 99 << 10, 90: 227 << 10}
"""What a block may have, by compute capability."""

REGISTERS_OF_A_MULTIPROCESSOR = 1 << 16


def check_fits(kernel: DeviceKernel, image: Image) -> None:
    """Fail if a card cannot launch a kernel, or if much of its work is in memory."""
    usage = image.usage[kernel.name]
    where = f"{kernel.algorithm} for {image.architecture.name}"
    assert kernel.threads % 32 == 0, where
    assert 32 <= kernel.threads <= 1024, where
    assert 0 < usage.registers <= 255, where
    assert usage.registers * kernel.threads <= REGISTERS_OF_A_MULTIPROCESSOR, where
    most = MOST_SHARED_BYTES[image.architecture.capability]
    assert usage.shared_bytes + kernel.shared_bytes <= most, where
    assert usage.spilled_bytes <= MOST_SPILLED_BYTES, where
