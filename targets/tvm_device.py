"""From kernels in TVM's loop language to CUDA C++, through TVM's CUDA back end."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lxc.errors import InternalError
from lxc.targets.tvm_api import Expr, Function, extern
from lxc.targets.tvm_build import COMPILE_LOCK, first_line, with_plain_pointers

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
import tvm
import tvm_ffi
from tvm import s_tir, tirx

ARCHITECTURE = "sm_80"
"""The oldest card; the source is the same for all."""


class DeviceText:
    """The kernels of a program in the two languages in front of machine code."""

    def __init__(self, module: Any, source: str) -> None:
        """Keep both forms; the first becomes text when it is asked for."""
        self._module = module
        self.source = source

    @property
    def tir(self) -> str:
        """The kernels as they were generated."""
        with COMPILE_LOCK:
            return str(self._module)


def device_text(kernels: Mapping[str, Function]) -> DeviceText:
    """Return kernels by name as text, with what TVM puts in front of them."""
    with COMPILE_LOCK:
        try:
            lowered = lowered_kernels(kernels)
            build = tvm.get_global_func("target.build.cuda")
            exact = {name: with_exact_numbers(f) for name, f in lowered.functions_items()}
            source = build(tvm.IRModule(exact), card()).inspect_source("cuda")
            return DeviceText(tvm.IRModule(dict(kernels)), str(source))
        except Exception as failure:
            # TVM raises many types, with a trace of its C++ frames behind the first line.
            raise InternalError("code generation", first_line(failure)) from failure


def card() -> Any:
    """Return TVM's form of the machine."""
    return tvm.target.Target({"kind": "cuda", "arch": ARCHITECTURE})


def lowered_kernels(kernels: Mapping[str, Function]) -> Any:
    """Return a module with kernels by name as the code generator takes them."""
    passes = [
        # Lane loops of one width share their counter, which stay loops here.
        tirx.transform.ConvertSSA(),
        s_tir.transform.StmtSimplify(),
        tirx.transform.NarrowDataType(32),
        tirx.transform.VectorizeLoop(True),
        s_tir.transform.StmtSimplify(),
    ]
    with COMPILE_LOCK, card() as target:
        simplified = tvm.transform.Sequential(passes)(tvm.IRModule(dict(kernels)))
        named = {
            name.name_hint: on_device(made, name.name_hint, target)
            for name, made in simplified.functions_items()
        }
        return tirx.transform.LowerIntrin()(tvm.IRModule(named))


def on_device(made: Function, name: str, target: Any) -> Function:
    """Return a function as a kernel that is launched by name."""
    parameters, body = with_plain_pointers(made)
    plain = tirx.PrimFunc(parameters, body, attrs=made.attrs)
    named = plain.with_attr("global_symbol", name).with_attr("target", target)
    return named.with_attr("calling_conv", 2).with_attr("tirx.is_global_func", True)


def with_exact_numbers(made: Function) -> Function:
    """Return a function whose constants are printed as they are.

    TVM's code generator writes no more than 15 decimals of float64, and converts float16 by
    a function of NVIDIA's headers.
    """
    return tvm_ffi.structural_map(made, (tirx.FloatImm, exact_number))


def exact_number(number: Expr) -> Expr:
    """Return a constant, by its bits if its decimals are too many."""
    if str(number.ty) == "float16":
        return tirx.Cast("float16", tirx.FloatImm("float32", number.value))
    if str(number.ty) != "float64" or float(f"{number.value:.15f}") == number.value:
        return number
    bits = int(np.float64(number.value).view("int64"))
    return extern("float64", "__longlong_as_double", tirx.IntImm("int64", bits))
