"""Targets: machines, code for them, and artifacts that hold it."""

from lxc.targets.target import ALIASES, TARGETS, Target, target_named, targets_named

__all__ = ["ALIASES", "TARGETS", "Target", "target_named", "targets_named"]
