"""Targets: machines, code for them, and artifacts that hold it."""

from lxc.targets.named import ALIASES, TARGETS, target_named, targets_named
from lxc.targets.target import Target

__all__ = ["ALIASES", "TARGETS", "Target", "target_named", "targets_named"]
