"""NVRTC in a process of its own: what ends it is an error, and no end of this process."""

import subprocess
from pathlib import Path

import pytest

from lxc.errors import LxcError
from lxc.targets.cuda.architectures import CARDS
from lxc.targets.cuda.nvrtc import Nvrtc
from lxc.targets.cuda.toolchain import find_device_compiler
from tests.cards.emulated import driver

DYING = """
#include <stdio.h>
#include <stdlib.h>
int nvrtcVersion(int *major, int *minor) {
    puts("printed by a library");
    return *major = 13, *minor = 1, 0;
}
int nvrtcCreateProgram(void) { fputs("out of everything", stderr), abort(); }
"""


def test_a_compiler_that_dies_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dying.c").write_text(DYING)
    library = tmp_path / "libnvrtc.so.13"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), "dying.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    compiler = Nvrtc(library, [])
    assert (compiler.version(), compiler.driver()) == ("NVRTC 13.1", 13010)
    with pytest.raises(
        LxcError, match=r"NVRTC was ended by signal 6 \(Aborted\)"
    ) as caught:
        compiler.compile("", CARDS[0])
    assert caught.value.code == "LXC-E0310"
    assert caught.value.actual == "out of everything"


def test_a_driver_in_this_process_that_is_not_nvidias_is_not_found() -> None:
    driver()
    compiler = find_device_compiler(programs="")
    assert isinstance(compiler, Nvrtc)
    kernel = 'extern "C" __global__ void idle() {}'
    image, said = compiler.compile(kernel, CARDS[0])
    assert image.startswith(b"\x7fELF")
    assert "'idle' for 'sm_80'" in said
    with pytest.raises(LxcError, match="NVRTC failed: NVRTC_ERROR_COMPILATION") as caught:
        compiler.compile("nonsense", CARDS[0])
    assert caught.value.code == "LXC-E0310"
    assert "model.cu(1): error" in str(caught.value.actual)
