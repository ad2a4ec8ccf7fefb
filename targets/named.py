"""Targets by name: one line per family of machines."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from lxc.errors import LxcError, one_of
from lxc.targets import aarch64, nvidia, riscv64, x86_64
from lxc.targets.target import Target

TABLE = (
    *(*x86_64.LEVELS, *x86_64.EXTENDED),
    *(*aarch64.PROCESSORS, *riscv64.PROCESSORS),
    *nvidia.CARDS,
)
TARGETS = {target.name: target for target in TABLE}
ALIASES = {
    "llvm": tuple(target.name for target in x86_64.LEVELS),
    "x86-64": ("x86-64-v2",),
    "aarch64": ("aarch64-linux",),
    "riscv64": ("riscv64-linux",),
    "rpi3": ("aarch64-linux",),
    "rpi4": ("cortex-a72",),
    "rpi5": ("cortex-a76",),
    "graviton2": ("neoverse-n1",),
    "graviton3": ("neoverse-v1",),
    "graviton4": ("neoverse-v2",),
    "a100": ("cuda-sm80",),
    "rtx3090": ("cuda-sm86",),
    "rtx4090": ("cuda-sm89",),
    "h100": ("cuda-sm90",),
}
"""Families, products and boards, each by the targets that are for it."""
USUAL = ["native", "llvm", "x86-64-v2", "aarch64-linux", "cuda"]
"""What people ask for most."""


def targets_named(names: str | Sequence[str]) -> tuple[Target, ...]:
    """Return the targets of a name, an alias or several of them, the best one last."""
    listed = listed_names(names)
    found: dict[str, Target] = {}
    for name in listed:
        for one in ALIASES.get(name, (name,)):
            found[one] = target_named(one)
    cards = [target.name for target in nvidia.CARDS]
    order = [*(name for name in TARGETS if name not in cards), "native", *cards]
    return tuple(sorted(found.values(), key=lambda target: order.index(target.name)))


def listed_names(names: object) -> list[str]:
    """Return one name or several as a list, or raise if there is none."""
    several = [names] if isinstance(names, str) else names
    if isinstance(several, Iterable):
        found = list(several)
        if found and all(isinstance(name, str) for name in found):
            return found
    raise LxcError(
        "LXC-E0001",
        "no target is named",
        expected="the name of a target, or a list of names",
        actual=repr(names),
        hint=f"names are {one_of([*TARGETS, 'native', *ALIASES])}",
    )


def target_named(name: str) -> Target:
    """Return the target of a name."""
    if name == "native":
        return x86_64.native()
    if name not in TARGETS:
        near = get_close_matches(name, [*TARGETS, "native", *ALIASES]) or USUAL
        raise LxcError(
            "LXC-E0305",
            f"there is no target {name!r}",
            hint=f"it may be {one_of(near)}; `lxc targets` lists all",
        )
    return TARGETS[name]
