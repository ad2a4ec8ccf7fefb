from lxc import frontend as frontend
from lxc import ir as ir
from lxc import kaun as kaun
from lxc import nn as nn
from lxc import ops as ops
from lxc import passes as passes
from lxc import runtime as runtime
from lxc import targets as targets
from lxc.compilation import compile as compile
from lxc.errors import LxcError as LxcError
from lxc.frontend import apply as apply
from lxc.frontend import setup as setup
from lxc.frontend import testmode as testmode
from lxc.frontend import trainmode as trainmode
from lxc.frontend import update_state as update_state
from lxc.ir import Dim as Dim
from lxc.ir import Tensor as Tensor
from lxc.ir import TensorSpec as TensorSpec
from lxc.runtime import CompiledModel as CompiledModel
from lxc.runtime import load as load
from lxc.tracing import trace as trace

__version__: str
