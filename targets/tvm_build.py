"""From functions in TVM's loop language to an object file, through TVM's LLVM back end.

Functions come out with a plain C ABI: pointers and int64 numbers in, an int32 status out,
no runtime library. TVM's own pipeline would add its calling convention and merge the
small arrays that must become registers, so the list of lowering passes is our own.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from lxc.errors import InternalError
from lxc.targets.tvm_api import Expr, Function
from lxc.targets.tvm_task_ranges import with_task_ranges

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
import tvm
from tvm import s_tir, tirx
from tvm.ir import PointerType, PrimType
from tvm.target import codegen

COMPILE_LOCK = RLock()
"""TVM's compiler must not run in two threads at once; code that was compiled may."""

BUILD = tvm.get_global_func("target.build.llvm")

NO_TYPE_BASED_ALIASES = "-enable-tbaa:bool=false"
"""TVM tells LLVM that different buffer variables never overlap. Kernels are inlined into
one entry, where values that live one after the other share memory: LLVM must not use it.
The option holds for the whole process; every target sets it.
"""

LOOPS_STAY = "-unroll-threshold-aggressive:uint=80"
"""What is worth writing without a loop is generated so. Where LLVM does it on its own, it
keeps what neighbouring turns of a convolution both read, and runs out of registers.
"""


IN_ONE_PIECE = "-simplifycfg-sink-common:bool=false"
"""A product and the sum that it goes into are one instruction where they stand in one
block. Moved behind a branch, the sum of some tiles would be rounded apart from the product.
"""

ONE_COPY = "-inline-instr-cost:int=50"
"""A kernel that is called in one place becomes part of the entry unless it is large. One
that many equal layers call stays a function, where LLVM's own price of 5 for an instruction
would copy what packs a weight into each of its calls.
"""

VECTORS_STAY = "-vectorize-slp:bool=false"
"""What is worth a vector is generated as one. LLVM would gather neighbouring numbers into
vectors of its own, up to what is around them, and a product in such a vector is rounded
apart from the sum that takes one of its lanes: bits would depend on the tile.
"""

LLVM_OPTIONS = (NO_TYPE_BASED_ALIASES, LOOPS_STAY, IN_ONE_PIECE, ONE_COPY, VECTORS_STAY)


@dataclass(frozen=True)
class Processor:
    """What LLVM is told about the machine: a triple, a processor and extra features."""

    triple: str
    cpu: str
    features: tuple[str, ...] = ()


class Generated:
    """One object file, with the same program in the forms that lead to it."""

    def __init__(self, module: Any, library: Any) -> None:
        """Write the object file; the texts are made when they are asked for."""
        self._module, self._library = module, library
        self.object_bytes = object_bytes(library)

    @property
    def tir(self) -> str:
        """The functions as they were generated."""
        with COMPILE_LOCK:
            return str(self._module)

    @cached_property
    def llvm(self) -> str:
        """The optimised program in LLVM's language."""
        with COMPILE_LOCK:
            return str(self._library.inspect_source("ll"))

    @property
    def assembly(self) -> str:
        """The instructions."""
        with COMPILE_LOCK:
            return str(self._library.inspect_source("asm"))


def generate(functions: Mapping[Expr, Function], processor: Processor) -> Generated:
    """Return machine code for functions that call each other by the keys of the mapping."""
    with COMPILE_LOCK:
        module = tvm.IRModule(dict(functions))
        try:
            return Generated(module, built(module, target(processor)))
        except Exception as failure:
            # TVM raises many types, with a trace of its C++ frames behind the first line.
            raise InternalError("code generation", first_line(failure)) from failure


def first_line(failure: Exception) -> str:
    """Return what a failure of TVM says, without the frames of its C++ code."""
    lines = [line.strip() for line in str(failure).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("File ", "Traceback"))]
    return kept[-1] if kept else type(failure).__name__


def object_bytes(library: Any) -> bytes:
    """Return the object file that a built module holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.o"
        library.write_to_file(str(path))
        return path.read_bytes()


def target(processor: Processor) -> Any:
    """Return TVM's form of a processor."""
    if not codegen.llvm_is_valid_cpu(processor.cpu, processor.triple):
        raise InternalError("code generation", f"LLVM does not know {processor.cpu}")
    options: dict[str, Any] = {
        "kind": "llvm",
        "mtriple": processor.triple,
        "mcpu": processor.cpu,
        "cl-opt": list(LLVM_OPTIONS),
    }
    if processor.features:
        options["mattr"] = list(processor.features)
    return tvm.target.Target(options)


def host_cpu() -> str:
    """Return LLVM's name of the processor that this runs on."""
    return str(codegen.llvm_get_system_cpu())


def known_features(processor: Processor) -> frozenset[str]:
    """Return the features that code for a processor may use, by LLVM's names."""
    return frozenset(str(name) for name in codegen.llvm_get_cpu_features(target(processor)))


def llvm_version() -> int:
    """Return the major version of the LLVM inside TVM."""
    return int(codegen.llvm_version_major())


def with_plain_pointers(made: Function) -> tuple[list[Any], Any]:
    """Return the parameters and the body of a function whose arrays are plain pointers."""
    parameters, declarations = [], []
    for parameter in made.params:
        if tirx.is_buffer_var(parameter):
            element = PointerType(
                PrimType(str(parameter.ty.dtype)), parameter.ty.storage_scope
            )
            pointer = tirx.Var(f"{parameter.name}_pointer", element)
            declarations.append(tirx.DeclBuffer(parameter, data=pointer))
            parameters.append(pointer)
        else:
            parameters.append(parameter)
    body = tirx.SeqStmt([*declarations, made.body]) if declarations else made.body
    return parameters, body


def with_c_abi(made: Function) -> Function:
    """Return a function whose arrays are plain pointers and that returns a status."""
    parameters, body = with_plain_pointers(made)
    # LowerTVMBuiltin refuses functions that do not say which device they run on.
    body = tirx.AttrStmt("default", "device_id", tirx.IntImm("int32", 0), body)
    body = tirx.AttrStmt("default", "device_type", tirx.IntImm("int32", 1), body)
    plain = tirx.PrimFunc(parameters, body, ret_type=PrimType("int32"), attrs=made.attrs)
    return plain.with_attr("calling_conv", 2)


def c_abi(module: Any, context: Any) -> Any:
    """Rewrite all functions of a module to the C ABI."""
    functions = {name: with_c_abi(made) for name, made in module.functions_items()}
    return tvm.IRModule(functions, attrs=module.attrs)


def task_ranges(module: Any, context: Any) -> Any:
    """Divide the parallel loops of a module into tasks."""
    functions = {name: with_task_ranges(made) for name, made in module.functions_items()}
    return tvm.IRModule(functions, attrs=module.attrs)


def built(module: Any, machine: Any) -> Any:
    """Return a module as LLVM's program for a target.

    Functions learn their target after their loops are vectors: TVM would read all features
    of the target again for every loop. Loops are divided into tasks last, for of a counter
    that begins anywhere the other steps could not tell where it ends.
    """
    steps = [
        s_tir.transform.StmtSimplify(),
        tirx.transform.NarrowDataType(32),
        tirx.transform.VectorizeLoop(True),
        s_tir.transform.StmtSimplify(),
        tirx.transform.BindTarget(machine.with_host(machine)),
        tirx.transform.VerifyMemory(),
        tvm.transform.module_pass(c_abi, opt_level=0, name="lxc.CABI"),
        tirx.transform.LowerTVMBuiltin(),
        tirx.transform.LowerIntrin(),
        tvm.transform.module_pass(task_ranges, opt_level=0, name="lxc.TaskRanges"),
    ]
    return BUILD(tvm.transform.Sequential(steps)(module), machine)
