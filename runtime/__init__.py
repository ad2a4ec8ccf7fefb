"""The runtime: artifact in, arrays out. It needs neither TVM nor the compiler."""

from lxc.runtime.bound import Bound
from lxc.runtime.fitting import tree_of
from lxc.runtime.load import load
from lxc.runtime.load_report import LoadReport
from lxc.runtime.model import CompiledModel
from lxc.runtime.named_trees import flat_names
from lxc.runtime.saved_params import load_params, save_params

__all__ = [
    "Bound",
    "CompiledModel",
    "LoadReport",
    "flat_names",
    "load",
    "load_params",
    "save_params",
    "tree_of",
]
