"""The runtime: artifact in, arrays out. It needs neither TVM nor the compiler."""

from lxc.runtime.bound import Bound
from lxc.runtime.load import load
from lxc.runtime.model import CompiledModel

__all__ = ["Bound", "CompiledModel", "load"]
