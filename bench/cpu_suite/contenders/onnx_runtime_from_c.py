"""ONNX Runtime as a C program calls it: `Run` on tensors that are made once.

The package brings the library and no header. Its functions stand in a table whose order is
part of the stable binary interface; the numbers below are places in that table.
"""

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from cpu_suite.case import Array
from cpu_suite.contenders.c_loop import checked, loops
from cpu_suite.contenders.ready import Ready
from cpu_suite.prepared import Prepared

PLACES = {
    "GetErrorMessage": 2,
    "CreateEnv": 3,
    "CreateSession": 7,
    "Run": 9,
    "CreateSessionOptions": 10,
    "SetSessionGraphOptimizationLevel": 23,
    "SetIntraOpNumThreads": 24,
    "CreateTensorWithDataAsOrtValue": 49,
    "CreateCpuMemoryInfo": 69,
}
TYPES = {np.dtype(np.float32): 1, np.dtype(np.int32): 6}
WARNING, ALL_OPTIMISATIONS, ARENA, DEFAULT_MEMORY = 2, 99, 1, 0
Handle = ctypes.c_void_p


class Base(ctypes.Structure):
    """What `OrtGetApiBase` returns."""

    _fields_ = (("get_api", ctypes.CFUNCTYPE(Handle, ctypes.c_uint32)),)


def table() -> Any:
    """Return the table of functions of the library in the package."""
    folder = Path(onnxruntime.__file__).parent / "capi"
    (path,) = folder.glob("libonnxruntime.so*")
    library = ctypes.CDLL(str(path))
    library.OrtGetApiBase.restype = ctypes.POINTER(Base)
    address = library.OrtGetApiBase().contents.get_api(1)
    return ctypes.cast(address, ctypes.POINTER(Handle))


@dataclass(frozen=True)
class Api:
    """The functions that are needed, and everything that must stay alive."""

    functions: Any = field(default_factory=table)
    kept: list[Any] = field(default_factory=list)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function; raises RuntimeError with its message if it fails."""
        function = ctypes.CFUNCTYPE(Handle)(self.functions[PLACES[name]])
        status = function(*arguments)
        if status:
            place = self.functions[PLACES["GetErrorMessage"]]
            message = ctypes.CFUNCTYPE(ctypes.c_char_p, Handle)(place)(status)
            raise RuntimeError(f"{name}: {message.decode()}")

    def made(self, name: str, *arguments: Any) -> Handle:
        """Return what a function makes."""
        result = Handle()
        self.call(name, *arguments, ctypes.byref(result))
        return result

    def tensor(self, array: Array) -> int | None:
        """Return a tensor on the memory of an array."""
        self.kept.append(array)
        memory = self.made("CreateCpuMemoryInfo", ARENA, DEFAULT_MEMORY)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        data, size = Handle(array.ctypes.data), ctypes.c_size_t(array.nbytes)
        rank, kind = ctypes.c_size_t(array.ndim), TYPES[array.dtype]
        name = "CreateTensorWithDataAsOrtValue"
        return self.made(name, memory, data, size, shape, rank, kind).value

    def session(self, path: Path, threads: int) -> Handle:
        """Return a session with all graph optimisations."""
        environment = self.made("CreateEnv", WARNING, b"bench")
        options = self.made("CreateSessionOptions")
        self.call("SetSessionGraphOptimizationLevel", options, ALL_OPTIMISATIONS)
        self.call("SetIntraOpNumThreads", options, threads)
        return self.made("CreateSession", environment, str(path).encode(), options)


def build(prepared: Prepared, threads: int) -> Ready:
    """Return the loop around `Run`."""
    library, api = loops(prepared.folder), Api()
    session = api.session(prepared.onnx, threads)
    arrays = prepared.inputs()
    results = [np.empty(y.shape, np.float32) for y in prepared.expected()]
    inputs = (Handle * len(arrays))(*map(api.tensor, arrays.values()))
    outputs = (Handle * len(results))(*map(api.tensor, results))
    names = (ctypes.c_char_p * len(arrays))(*(name.encode() for name in arrays))
    labels = [f"out_{place}".encode() for place in range(len(results))]
    wanted = (ctypes.c_char_p * len(labels))(*labels)
    run = Handle(api.functions[PLACES["Run"]])
    given = (names, inputs, ctypes.c_size_t(len(arrays)))
    taken = (wanted, ctypes.c_size_t(len(labels)), outputs)

    def timed(count: int) -> float:
        seconds = library.time_session(run, session, *given, *taken, ctypes.c_int64(count))
        return checked(seconds)

    return Ready(lambda: timed(1), lambda: results, timed=timed, kept=api)
