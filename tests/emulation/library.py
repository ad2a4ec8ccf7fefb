"""Libraries for other processors, run in a process of an emulator.

`EmulatedLibrary` has the functions of `lxc.runtime.library.Library` that the runtime calls.
It copies what a call reads into the other process and what the call wrote back, so that
everything above it is the runtime as users have it.
"""

import ctypes
import shutil
import struct
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lxc.runtime.artifact import Artifact
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Leaf, Signature
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain

RUNNER = Path(__file__).parent / "runner.c"
RUN_WORDS, PREPARE_WORDS = 11, 7
ABSENT = -1
PROCESSORS = {"riscv64": "rv64,v=true,vlen=128,vext_spec=v1.0"}
"""Which processor is emulated where it is not the emulator's best: registers of vectors
are no longer than code may rely on.
"""
Words = Sequence[int]


def emulator(architecture: str) -> list[str] | None:
    """Return the command that runs programs of an architecture, None if there is none."""
    program = shutil.which(f"qemu-{architecture}")
    root = Path(f"/usr/{architecture}-linux-gnu")
    if program is None or not root.exists():
        return None
    kind = PROCESSORS.get(architecture)
    return [program, "-L", str(root), *(("-cpu", kind) if kind else ())]


@cache
def runner(triple: str) -> Path:
    """Return the program that runs libraries of a triple; it is compiled once."""
    folder = Path(tempfile.mkdtemp(prefix="lxc-emulation-"))
    weakref.finalize(runner, shutil.rmtree, folder, ignore_errors=True)
    toolchain = find_toolchain(compiler_for(triple))
    command = [*toolchain.command, "-O1", "-std=gnu11", str(RUNNER)]
    toolchain.run([*command, "-o", "runner", "-ldl"], folder)
    return folder / "runner"


def memory(address: int, size: int) -> bytes:
    """Return bytes of this process."""
    return ctypes.string_at(address, size) if size else b""


def words_at(address: int, count: int) -> Words:
    """Return a table of 64-bit numbers."""
    return struct.unpack(f"={count}q", memory(address, 8 * count))


class EmulatedLibrary:
    """The functions of one library, in a process that ends with this object."""

    def __init__(self, artifact: Artifact, target: TargetRecord) -> None:
        """Start the process."""
        architecture = target.triple.partition("-")[0]
        command = emulator(architecture)
        assert command is not None, f"there is no emulator of {architecture}"
        self.signature: Signature = artifact.signature
        self.target, self.said = target, ""
        self.folder = tempfile.TemporaryDirectory(prefix="lxc-emulated-")
        path = Path(self.folder.name) / "model.so"
        path.write_bytes(artifact.read(target.library))
        program = [*command, str(runner(target.triple)), str(path), self.signature.name]
        self.process: Any = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        weakref.finalize(self, stop, self.process)

    def pool(self) -> int:
        """Return that the library is to use its own threads."""
        return 0

    def failure(self) -> str:
        """Return the text of the last failure."""
        return self.said

    def run(self, call: ctypes.c_void_p) -> int:
        """Run the model on the buffers of a call."""
        words = words_at(call.value or 0, RUN_WORDS)
        _, inputs, params, before, after, outputs, prepared, _, dims, _, threads = words
        tables = self.tables(dims, inputs, params, before, after, outputs)
        state = [place for place, _ in tables[2]]
        changed = [
            (place, -2 - state.index(place) if place and place in state else size)
            for place, size in tables[3]
        ]
        tables = [*tables[:3], changed, tables[4]]
        size = self.target.prepared_bytes
        head = (1, threads & 0xFFFFFFFF, size, self.target.arena_bytes)
        sizes = {place: size for place, size in tables[2] if place}
        written = [
            (place, sizes[place] if size < ABSENT else size)
            for place, size in (*changed, *tables[4])
        ]
        return self.call(head, memory(prepared, size), tables, dims, written)

    def prepare(self, call: ctypes.c_void_p) -> int:
        """Fill a prepared buffer."""
        words = words_at(call.value or 0, PREPARE_WORDS)
        _, params, state, prepared, dims, _, threads = words
        tables = self.tables(dims, 0, params, state, 0, 0)
        size = self.target.prepared_bytes
        head = (0, threads & 0xFFFFFFFF, size, self.target.arena_bytes)
        return self.call(head, b"", tables, dims, [(prepared, size)])

    def tables(self, dims: int, *starts: int) -> list[list[tuple[int, int]]]:
        """Return address and size of every entry of the tables that start there."""
        signature = self.signature
        values = self.dims(dims)
        state = signature.state.leaves
        groups: tuple[Iterable[Leaf], ...] = (
            signature.inputs.leaves,
            (*signature.params.leaves, *signature.data),
            state,
            state,
            signature.outputs.leaves,
        )
        found = []
        for start, leaves in zip(starts, groups, strict=True):
            sizes = [size_of(leaf, values) for leaf in leaves] if start else []
            places = words_at(start, len(sizes))
            pairs = zip(places, sizes, strict=True)
            found.append([(place, size if place else ABSENT) for place, size in pairs])
        return found

    def dims(self, start: int) -> dict[str, int]:
        """Return the values of the dimensions."""
        names = [dim.name for dim in self.signature.dims]
        return dict(zip(names, words_at(start, len(names)), strict=True))

    def call(
        self,
        head: Words,
        prepared: bytes,
        tables: Sequence[Sequence[tuple[int, int]]],
        dims: int,
        written: Sequence[tuple[int, int]],
    ) -> int:
        """Let the other process make a call, and copy back what it wrote."""
        parts = [struct.pack("=4q", *head), prepared]
        for number, table in enumerate(tables):
            parts.append(struct.pack("=q", len(table)))
            for place, size in table:
                parts.append(struct.pack("=q", size))
                if number < 3 and size > 0:
                    parts.append(memory(place, size))
        count = len(self.signature.dims)
        parts += [struct.pack("=q", count), memory(dims, 8 * count)]
        self.process.stdin.write(b"".join(parts))
        self.process.stdin.flush()
        status, length = struct.unpack("=2q", self.take(16))
        self.said = self.take(length).decode("utf-8", "replace")
        for place, size in written:
            if size > 0:
                ctypes.memmove(place, self.take(size), size)
        return int(status)

    def take(self, count: int) -> bytes:
        """Return the next bytes of the answer."""
        found: bytes = self.process.stdout.read(count)
        if len(found) < count:
            status = self.process.wait()
            raise AssertionError(f"the emulated process ended with status {status}")
        return found


def stop(process: Any) -> None:
    """End a process."""
    process.stdin.close()
    process.stdout.close()
    process.kill()
    process.wait()


def size_of(leaf: Leaf, dims: dict[str, int]) -> int:
    """Return how many bytes a leaf takes."""
    size = leaf.item_bytes
    for extent in leaf.shape_at(dims):
        size *= extent
    return size
