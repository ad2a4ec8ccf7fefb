"""Kernels with one that follows, which reads what the first one left in memory."""

from dataclasses import dataclass

import numpy as np

from lxc.targets.cuda.kernel import DeviceKernel
from tests.cards.emulator.launch import Argument, EmulatedKernel, Output


@dataclass(frozen=True)
class KernelPair:
    """A kernel and the one that follows, with so many arrays and so much memory."""

    first: EmulatedKernel
    second: EmulatedKernel
    arrays: int
    workspace_bytes: int

    def launch(self, *arguments: Argument) -> None:
        """Run all blocks of the first one, then those of the second one."""
        arrays, rest = arguments[: self.arrays], arguments[self.arrays :]
        memory = np.full(self.workspace_bytes // 4, np.nan, np.float32)
        self.first.launch(*arrays, Output(memory), *rest)
        self.second.launch(*arrays, memory, *rest)


def launched_together(kernel: DeviceKernel, arrays: int) -> EmulatedKernel | KernelPair:
    """Return a kernel, which takes so many arrays, with the one that follows."""
    first = EmulatedKernel(kernel.function, meets=kernel.blocks > 0)
    if kernel.following is None:
        return first
    second = EmulatedKernel(kernel.following.function)
    return KernelPair(first, second, arrays, kernel.workspace_bytes)
