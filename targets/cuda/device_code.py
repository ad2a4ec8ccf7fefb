"""CUDA C++ of a program: its kernels, and what stands in front of and behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxc.targets.cuda import support
from lxc.targets.cuda.intrinsics import definitions, intrinsics_of
from lxc.targets.tvm_api import Function
from lxc.targets.tvm_device import DeviceText, device_text

COPIES = "lxc_copies"
"""The kernel that every model has: it copies memory."""


@dataclass(frozen=True)
class DeviceSource:
    """The kernels of a program by name, in two languages."""

    names: tuple[str, ...]
    text: DeviceText | None

    @property
    def tir(self) -> str:
        """The kernels of the model as they were generated."""
        return self.text.tir if self.text else ""

    @property
    def kernels(self) -> str:
        """The definitions of all kernels, which call intrinsics by name."""
        generated = self.text.source if self.text else ""
        start = generated.find('extern "C"')
        return generated[start:] + support.text("copies.h")

    @property
    def whole(self) -> str:
        """A file that needs no other one."""
        kernels = self.kernels
        used = definitions(intrinsics_of(kernels))
        return "\n".join([support.text("prelude.h"), used, kernels])


def device_source(kernels: Mapping[str, Function]) -> DeviceSource:
    """Return the source of kernels by name."""
    text = device_text(kernels) if kernels else None
    return DeviceSource((*kernels, COPIES), text)
