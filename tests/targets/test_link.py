"""Libraries and objects: what they need, what they export, where they come from."""

import os
import re
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from lxc.errors import InternalError, LxcError
from lxc.targets.llvm import link
from lxc.targets.llvm.c_abi import exports
from lxc.targets.llvm.elf import DT_NEEDED, Elf
from lxc.targets.llvm.toolchain import compiler_for, find_toolchain
from tests.conftest import Golden
from tests.targets.toy import ENTRIES, WARNINGS, compile_c, sources

ERRORS = Path(__file__).parent.parent / "errors" / "golden"
STAND_IN = """#!/bin/sh
PATH={path}
echo "$@" >> {log}
tool=$1
shift
[ $tool = cc ] && shift 2
exec $tool "$@"
"""


def dynamic(library: bytes) -> tuple[set[str], set[str]]:
    """Return the libraries a library needs and the names it defines for others."""
    elf = ELFFile(BytesIO(library))
    needed = set()
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            needed |= {
                tag.needed for tag in section.iter_tags() if tag.entry.d_tag == "DT_NEEDED"
            }
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return needed, {s.name for s in symbols if s.name and s.entry.st_shndx != "SHN_UNDEF"}


def test_a_library_needs_the_c_library_only_and_exports_five_names(library: bytes) -> None:
    needed, names = dynamic(library)
    assert needed <= {
        "libc.so.6",
        "libm.so.6",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
    }
    assert names == set(exports("toy"))
    assert len(names) == 5


def test_a_library_has_no_executable_stack_and_stays_loaded(library: bytes) -> None:
    elf = ELFFile(BytesIO(library))
    stacks = [s for s in elf.iter_segments() if s.header.p_type == "PT_GNU_STACK"]
    assert len(stacks) == 1
    assert stacks[0].header.p_flags & 1 == 0
    tags = {
        tag.entry.d_tag: tag.entry.d_val
        for section in elf.iter_sections()
        if isinstance(section, DynamicSection)
        for tag in section.iter_tags()
    }
    assert tags["DT_FLAGS_1"] & 0x8
    assert "DT_RUNPATH" not in tags
    assert "DT_RPATH" not in tags


def test_the_recorded_glibc_is_one_that_the_library_asks_for(library: bytes) -> None:
    version = link.needed_glibc(library)
    assert re.fullmatch(r"2\.\d+", version)
    assert f"GLIBC_{version}".encode() in library


def test_a_library_is_the_same_wherever_it_is_made(
    code: bytes, library: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    before = os.umask(0o077)
    try:
        assert link.link_shared(code, sources(), "toy") == library
        static = link.link_static(code, sources(), "toy")
    finally:
        os.umask(before)
    monkeypatch.undo()
    assert link.link_static(code, sources(), "toy") == static
    assert list(tmp_path.iterdir()) == []


def test_two_models_fit_into_one_static_program(tmp_path: Path) -> None:
    names = ("one", "two")
    for name in names:
        code = compile_c(ENTRIES / "toy.c", tmp_path, f"-DNAME={name}")
        made = link.link_static(code, sources(name), name)
        (tmp_path / f"{name}.o").write_bytes(made)
        (tmp_path / f"{name}.h").write_text(sources(name).header)
    calls = "".join(f'printf("%d ", (int){name}_abi_version());' for name in names)
    pools = "one_pool() != two_pool()"
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "one.h"\n#include "two.h"\n'
        f'int main(void) {{ {calls} printf("%d\\n", {pools}); return 0; }}\n'
    )
    command = ["cc", *WARNINGS, "main.c", "one.o", "two.o", "-lm", "-pthread", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "main"], check=True, capture_output=True).stdout
    assert said == b"1 1 1\n"


SERVICES = [
    "__TVMBackendAllocWorkspace",
    "__TVMBackendParallelBarrier",
    "__TVMFFIFunctionCall",
]


@pytest.mark.parametrize("service", SERVICES)
def test_code_that_needs_another_service_is_not_linked(
    tmp_path: Path, service: str
) -> None:
    source = tmp_path / "entries.c"
    source.write_text(
        f"__attribute__((weak)) void (*{service})(void) = 0;\n"
        "int toy_entry_prepare(void) { return 0; }\n"
        f"int toy_entry_run(void) {{ {service}(); return 0; }}\n"
    )
    with pytest.raises(InternalError, match=service):
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")


def test_code_without_an_entry_is_not_linked(tmp_path: Path) -> None:
    source = tmp_path / "entries.c"
    source.write_text("int toy_entry_run(void) { return 0; }\n")
    with pytest.raises(InternalError, match="toy_entry_prepare"):
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")


def test_code_that_calls_an_unknown_function_is_not_linked(tmp_path: Path) -> None:
    source = tmp_path / "entries.c"
    source.write_text(
        "void elsewhere(void);\nint toy_entry_prepare(void) { return 0; }\n"
        "int toy_entry_run(void) { elsewhere(); return 0; }\n"
    )
    with pytest.raises(LxcError) as caught:
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")
    assert caught.value.code == "LXC-E0302"
    assert "elsewhere" in str(caught.value.actual)


def test_a_missing_compiler_is_named_with_the_way_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LxcError) as caught:
        find_toolchain()
    assert caught.value.code == "LXC-E0301"
    assert "apt install gcc" in str(caught.value.hint)
    with pytest.raises(LxcError, match="riscv-cc"):
        find_toolchain("riscv-cc")


TRIPLES = ("aarch64-unknown-linux-gnu", "riscv64-unknown-linux-gnu")


def test_a_missing_cross_compiler_is_named_with_the_commands_that_bring_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, golden: Golden
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("lxc.targets.llvm.toolchain.find_spec", lambda name: None)
    refusals = []
    for triple in TRIPLES:
        with pytest.raises(LxcError) as caught:
            find_toolchain(compiler_for(triple))
        refusals.append(f"{caught.value}\n")
    golden.compare(ERRORS / "cross-compiler-missing.txt", "".join(refusals))


def test_zig_links_where_no_cross_compiler_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: bytes, library: bytes
) -> None:
    # A program that is called as zig is, and hands what it is to do to the tools of gcc.
    package = tmp_path / "ziglang"
    package.mkdir()
    (package / "__init__.py").touch()
    program = package / "zig"
    program.write_text(STAND_IN.format(path=os.environ["PATH"], log=tmp_path / "log"))
    program.chmod(0o755)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("lxc.targets.llvm.toolchain.metadata.version", lambda name: "9.9")
    compiler = compiler_for("sparc64-unknown-linux-gnu")
    toolchain = find_toolchain(compiler)
    assert toolchain.command == [str(program), "cc", "-target", "sparc64-linux-gnu"]
    assert toolchain.version().startswith("zig 9.9: ")
    made = link.stripped(code, compiler=compiler)
    assert link.link_shared(made, sources(), "toy", compiler=compiler) == library
    archive = link.link_archive(made, sources(), "toy", compiler=compiler)
    assert archive.startswith(b"!<arch>")
    log = (tmp_path / "log").read_text().splitlines()
    assert {line.split()[0] for line in log} == {"cc", "ar"}
    assert all("sparc64-linux-gnu" in line for line in log if line.startswith("cc"))


def test_what_is_read_of_objects_is_what_is_in_them(code: bytes, library: bytes) -> None:
    for data in (code, library, link.link_static(code, sources(), "toy")):
        theirs = ELFFile(BytesIO(data)).get_section_by_name(".symtab")
        expected = {
            one.name: one.entry.st_shndx != "SHN_UNDEF"
            for one in (theirs.iter_symbols() if theirs else ())
            if one.entry.st_info.bind != "STB_LOCAL"
        }
        assert Elf(data).public() == expected
    assert set(Elf(library).dynamic(DT_NEEDED)) == dynamic(library)[0]
    asked = ELFFile(BytesIO(library)).get_section_by_name(".gnu.version_r")
    names = [aux.name for _, each in asked.iter_versions() for aux in each]
    assert Elf(library).versions() == names
    with pytest.raises(InternalError, match="not ELF"):
        Elf(b"!<arch>").public()


def test_a_static_object_shows_its_public_names_only(code: bytes) -> None:
    made = link.link_static(code, sources(), "toy")
    shown = {name for name, is_defined in Elf(made).public().items() if is_defined}
    assert shown == set(exports("toy"))
    table = ELFFile(BytesIO(made)).get_section_by_name(".symtab")
    binds = [one.entry.st_info.bind for one in table.iter_symbols()]
    assert binds.index("STB_GLOBAL") == table.header.sh_info == binds.count("STB_LOCAL")


def test_the_compiler_says_who_it_is() -> None:
    assert re.search(r"\d+\.\d+", link.compiler_version())
