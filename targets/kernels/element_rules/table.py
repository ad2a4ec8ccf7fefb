"""What each elementwise op does to one element: the rules of all subjects in one table."""

from collections.abc import Mapping

from lxc.targets.kernels.element_rules.arithmetic import ARITHMETIC
from lxc.targets.kernels.element_rules.functions import FUNCTIONS
from lxc.targets.kernels.element_rules.logic import LOGIC
from lxc.targets.kernels.step import Rule

RULES: Mapping[str, Rule] = {**ARITHMETIC, **FUNCTIONS, **LOGIC}
"""The rule of every elementwise op."""
