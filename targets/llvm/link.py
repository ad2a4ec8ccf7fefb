"""From the object file of a model to a library that needs the C library only.

`link_shared` returns a shared library, `link_static` one relocatable object in which every
name but the public ones is local, `link_archive` a static library of it. All depend on
their arguments and the compiler only: not on the folder, the umask, the locale or the time.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from lxc.errors import InternalError
from lxc.runtime.signature import identifier
from lxc.targets.llvm.c_abi import Sources
from lxc.targets.llvm.elf import DT_NEEDED, DT_RPATH, DT_RUNPATH, Elf
from lxc.targets.llvm.elf_names import with_local_names
from lxc.targets.llvm.toolchain import Toolchain, find_toolchain

COMPILE_FLAGS = (
    *("-std=c11", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-ffunction-sections"),
    *(
        "-fno-ident",
        "-fno-lto",
        "-Wall",
        "-Wextra",
        "-Werror=implicit-function-declaration",
    ),
    "-pthread",
)
# With glibc from 2.34 on, -pthread adds nothing to the result; before that, it is needed.
LINK_FLAGS = (
    *("-shared", "-fPIC", "-g0", "-pthread", "-Wl,--build-id=none", "-Wl,-z,defs"),
    *("-Wl,-z,noexecstack", "-Wl,-z,nodelete", "-Wl,-z,relro", "-Wl,-z,now"),
    *("-Wl,--gc-sections", "-Wl,--as-needed", "-s"),
)
OBJECTS = ("model.o", "face.o", "support.o")
SERVICES = {"__TVMBackendParallelLaunch", "__TVMFFIErrorSetRaisedFromCStr"}
GLIBC = re.compile(r"GLIBC_([\d.]+)")
SERVICE = re.compile(r"__(?:TVM|tvm)\w+")
NEEDED = re.compile(
    r"(?:lib(?:c|m|dl|pthread)|ld-linux[\w-]*|libc\.musl-\w+)\.so(?:\.\d+)?"
)


def link_shared(
    object_bytes: bytes,
    sources: Sources,
    name: str,
    *,
    compiler: str = "cc",
    file: str = "",
) -> bytes:
    """Return the bytes of the shared library of the model `name`.

    `file` is the name by which programs that are linked with it look for it.
    """
    with compiled_parts(object_bytes, sources, name, compiler) as (toolchain, folder):
        script = "".join(f"{export};" for export in sources.exports)
        (folder / "model.map").write_text(f"{{ global: {script} local: *; }};\n")
        command = [*toolchain.command, *LINK_FLAGS, "-Wl,--version-script=model.map"]
        command += [f"-Wl,-soname,{file}"] if file else []
        command += ["-o", "model.so", *OBJECTS, "-lm", "-ldl"]
        toolchain.run(command, folder)
        library = (folder / "model.so").read_bytes()
        check_needed(library)
        return library


def link_static(
    object_bytes: bytes, sources: Sources, name: str, *, compiler: str = "cc"
) -> bytes:
    """Return the bytes of one relocatable object that can be linked beside other models."""
    with compiled_parts(object_bytes, sources, name, compiler) as (toolchain, folder):
        merge = [*toolchain.command, "-r", "-nostdlib", "-Wl,--strip-debug"]
        toolchain.run([*merge, "-o", "merged.o", *OBJECTS], folder)
        return with_local_names((folder / "merged.o").read_bytes(), sources.exports)


def link_archive(
    object_bytes: bytes, sources: Sources, name: str, *, compiler: str = "cc"
) -> bytes:
    """Return the bytes of a static library with the object of `link_static`."""
    merged = link_static(object_bytes, sources, name, compiler=compiler)
    toolchain = find_toolchain(compiler)
    with tempfile.TemporaryDirectory(prefix="lxc-link-") as path:
        folder, member = Path(path), f"{identifier(name)}.o"
        (folder / member).write_bytes(merged)
        # D leaves out times and owners.
        command = [*toolchain.tool("ar"), "rcsD", "model.a", member]
        toolchain.run(command, folder)
        return (folder / "model.a").read_bytes()


def stripped(object_bytes: bytes, *, compiler: str = "cc") -> bytes:
    """Return an object without what only a debugger reads."""
    toolchain = find_toolchain(compiler)
    with tempfile.TemporaryDirectory(prefix="lxc-link-") as path:
        folder = Path(path)
        (folder / "model.o").write_bytes(object_bytes)
        toolchain.run(toolchain.stripping("model.o", "stripped.o"), folder)
        return (folder / "stripped.o").read_bytes()


@contextmanager
def compiled_parts(
    object_bytes: bytes, sources: Sources, name: str, compiler: str
) -> Iterator[tuple[Toolchain, Path]]:
    """Yield the toolchain, and a folder with the objects of a library, which fit."""
    toolchain, prefix = find_toolchain(compiler), identifier(name)
    with tempfile.TemporaryDirectory(prefix="lxc-link-") as path:
        folder = Path(path)
        (folder / "model.o").write_bytes(object_bytes)
        (folder / "support.o").write_bytes(support_object(toolchain, sources.support))
        (folder / f"{prefix}.h").write_text(sources.header, encoding="ascii")
        (folder / "face.c").write_text(sources.source, encoding="ascii")
        for file, content in sources.files.items():
            (folder / file).write_bytes(content)
        compile_c(toolchain, folder, "face")
        check_services(object_bytes, (folder / "support.o").read_bytes(), prefix)
        yield toolchain, folder


@cache
def support_object(toolchain: Toolchain, text: str) -> bytes:
    """Return the object that all models share: it is compiled once in a process."""
    with tempfile.TemporaryDirectory(prefix="lxc-link-") as path:
        folder = Path(path)
        (folder / "support.c").write_text(text, encoding="ascii")
        compile_c(toolchain, folder, "support")
        return (folder / "support.o").read_bytes()


def compile_c(toolchain: Toolchain, folder: Path, name: str) -> None:
    """Compile NAME.c in a folder to NAME.o."""
    command = [*toolchain.command, "-c", *COMPILE_FLAGS, f"-ffile-prefix-map={folder}=."]
    toolchain.run([*command, "-o", f"{name}.o", f"{name}.c"], folder)


def check_services(model: bytes, support: bytes, prefix: str) -> None:
    """Refuse an object that needs a service that the support code does not define.

    The linker cannot tell: services are weak pointers, and one that is not defined is NULL.
    """
    wanted = Elf(model).public()
    offered = {name for name, defined in Elf(support).public().items() if defined}
    services = {name for name in wanted if SERVICE.fullmatch(name)}
    missing = sorted(services - (offered & SERVICES))
    if missing:
        raise InternalError("linking", f"the compiled code needs {', '.join(missing)}")
    for entry in ("prepare", "run"):
        if not wanted.get(f"{prefix}_entry_{entry}"):
            problem = f"the compiled code does not define {prefix}_entry_{entry}"
            raise InternalError("linking", problem)


def check_needed(library: bytes) -> None:
    """Refuse a library that needs anything but the C library."""
    elf = Elf(library)
    for needed in elf.dynamic(DT_NEEDED):
        if not NEEDED.fullmatch(needed):
            raise InternalError("linking", f"the library needs {needed}")
    if elf.dynamic(DT_RPATH, DT_RUNPATH):
        raise InternalError("linking", "the library has a search path of its own")


def compiler_version(compiler: str = "cc") -> str:
    """Return the first line with which the C compiler describes itself."""
    return find_toolchain(compiler).version()


def needed_glibc(library: bytes) -> str:
    """Return the oldest version of glibc that the library runs with, or `""` for any."""
    asked = [GLIBC.fullmatch(version) for version in Elf(library).versions()]
    versions = [tuple(map(int, found.group(1).split("."))) for found in asked if found]
    return ".".join(map(str, max(versions))) if versions else ""
