"""The cards of this machine, and which of them run which code."""

import ctypes
from dataclasses import dataclass, field

from lxc.errors import LxcError, one_of
from lxc.runtime.manifest import TargetRecord

MAJOR, MINOR = 75, 76
"""The numbers of the attributes that make a compute capability."""


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards that may be used, by number, with their compute capabilities: 90 for 9.0.

    `version` is that of CUDA that the driver is for, 13000 for 13.0. `problem` says why
    there are no cards.
    """

    version: int
    capabilities: dict[int, int] = field(hash=False)
    problem: str = ""

    def first_for(self, target: TargetRecord) -> int:
        """Return the number of the first card that runs the code for a target, or -1."""
        known = [
            image
            for image in target.images
            if oldest_driver(image, target.driver) <= self.version
        ]
        for number, capability in self.capabilities.items():
            if any(runs_on(image, capability) for image in known):
                return number
        return -1

    def __str__(self) -> str:
        """Say what there is."""
        if self.problem:
            return self.problem
        found = [
            f"card {number} of compute capability {as_version(capability)}"
            for number, capability in self.capabilities.items()
        ]
        return f"a driver for CUDA {cuda_version(self.version)}, {', '.join(found)}"


NO_CARDS = Cards(0, {}, "no card was looked for")


def runs_on(image: str, capability: int) -> bool:
    """Tell whether a card runs an image with a name like `sm_80`.

    One that ends with `a` runs on that kind of card only. Text, `compute_80`, is compiled
    by the driver for any later card; other code runs on later cards of the same family.
    """
    number = image.partition("_")[2]
    made_for, ending = int(number.rstrip("af")), number.lstrip("0123456789")
    if ending == "a":
        return capability == made_for
    same_family = capability // 10 == made_for // 10
    return capability >= made_for and (same_family or (is_text(image) and not ending))


def oldest_driver(image: str, made_with: int) -> int:
    """Return the oldest CUDA whose driver takes an image of a compiler of one version.

    Drivers run machine code of all compilers with their own major version; text of one that
    is newer than they are they refuse.
    """
    return made_with if is_text(image) else made_with // 1000 * 1000


def is_text(image: str) -> bool:
    """Tell whether an image is text that the driver compiles."""
    return image.startswith("compute_")


def needs_of(target: TargetRecord) -> str:
    """Say which driver and which cards the code for a target needs."""
    oldest = [oldest_driver(image, target.driver) for image in target.images]
    images = [
        image if version == min(oldest) else f"{image} with CUDA {cuda_version(version)}"
        for image, version in zip(target.images, oldest, strict=True)
    ]
    version = cuda_version(min(oldest))
    return f"needs a driver for CUDA {version} or newer, and a card for {one_of(images)}"


def as_version(capability: int) -> str:
    """Return a compute capability as people write it."""
    return f"{capability // 10}.{capability % 10}"


def cuda_version(version: int) -> str:
    """Return a version of CUDA as people write it."""
    return f"{version // 1000}.{version % 1000 // 10}"


def find_cards(wanted: int | None) -> Cards:
    """Return all cards that NVIDIA's driver knows, or the wanted one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Cards(0, {}, "no driver of NVIDIA (libcuda.so.1)")
    try:
        return ask(driver, wanted)
    except AttributeError as error:
        return Cards(0, {}, f"a driver of NVIDIA that is too old ({error})")
    except RefusedError as error:
        return Cards(0, {}, f"a driver of NVIDIA that fails: {error}")


class RefusedError(Exception):
    """The driver did not do what it was asked."""


def ask(driver: ctypes.CDLL, wanted: int | None) -> Cards:
    """Return what a driver says of its cards."""
    version, count = ctypes.c_int(), ctypes.c_int()
    call(driver, "cuInit", 0)
    call(driver, "cuDriverGetVersion", ctypes.byref(version))
    call(driver, "cuDeviceGetCount", ctypes.byref(count))
    if wanted is not None and not 0 <= wanted < count.value:
        raise LxcError(
            "LXC-E0510",
            f"there is no card {wanted}",
            actual=f"{count.value} cards, numbered from 0",
        )
    numbers = range(count.value) if wanted is None else [wanted]
    found = {number: capability_of(driver, number) for number in numbers}
    return Cards(version.value, found, "" if found else "a driver of NVIDIA without a card")


def capability_of(driver: ctypes.CDLL, number: int) -> int:
    """Return the compute capability of a card, 90 for 9.0."""
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    call(driver, "cuDeviceGet", ctypes.byref(device), number)
    call(driver, "cuDeviceGetAttribute", ctypes.byref(major), MAJOR, device)
    call(driver, "cuDeviceGetAttribute", ctypes.byref(minor), MINOR, device)
    return major.value * 10 + minor.value


def call(driver: ctypes.CDLL, name: str, *arguments: object) -> None:
    """Call a function of the driver."""
    result = driver[name](*arguments)
    if result != 0:
        text = ctypes.c_char_p()
        driver["cuGetErrorName"](result, ctypes.byref(text))
        raise RefusedError(f"{name}: {(text.value or b'unknown').decode()} ({result})")
