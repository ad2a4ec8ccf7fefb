"""The ways in which torch runs a module, and the names of all contenders."""

from typing import Any

WAYS: dict[str, dict[str, Any] | None] = {
    "torch": None,
    "compile": {},
    "compile-graph": {"mode": "reduce-overhead"},
}
"""Arguments of `torch.compile`; the last way records CUDA graphs."""

ALL_RIVALS = tuple(WAYS)
EACH = "each"
"""Stands for the rivals that a task itself names."""
