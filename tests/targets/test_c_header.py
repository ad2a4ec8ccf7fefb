"""The text of the header: right for every name and every extent."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lxc.errors import LxcError
from lxc.runtime.signature import Dim, Group, Leaf, Signature
from lxc.structure import LEAF, Structure
from lxc.targets.llvm.c_abi import exports, render
from lxc.tree import flatten
from tests.targets.toy import WARNINGS, sources, toy_signature


def signature_of(name: str, x: Group, y: Group) -> Signature:
    return Signature(name, "lux", "test", (Dim("N", 1, 64),), x, Group(), Group(), y)


def test_an_extent_is_computed_in_c_as_in_python(tmp_path: Path) -> None:
    shape = (("//", ("+", "N", -5), 2), ("+", ("*", "N", 3), 1))
    leaf = Leaf("z", "float32", (("+", shape[0], 2), shape[1]))
    x = Leaf("x", "float32", ("N",))
    group = Group(flatten([LEAF])[1], (x,))
    signature = signature_of("dims", x=group, y=Group(LEAF, (leaf,)))
    rendered = render("dims", signature, 0, 0)
    (tmp_path / "dims.h").write_text(rendered.header)
    program = tmp_path / "main.c"
    program.write_text(
        '#include "dims.h"\n#include <stdio.h>\nint main(void) {\n'
        "for (int n = 1; n <= 64; ++n)\n"
        'printf("%lld\\n", (long long)DIMS_OUTPUT_0_ELEMENTS(n)); }\n'
    )
    subprocess.run(
        ["cc", *WARNINGS, str(program), "-o", str(tmp_path / "main")], check=True
    )
    said = subprocess.run(
        [tmp_path / "main"], check=True, capture_output=True
    ).stdout.split()
    expected = [int(np.prod(leaf.shape_at({"N": n}))) for n in range(1, 65)]
    assert [int(number) for number in said] == expected


HOSTILE = [
    '"; system("rm -rf /"); //',
    "*/ int evil; /*",
    "a\nb",
    "a\\\nb",
    "??/",
    "é",
    "9",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_model_gives_a_header_that_compiles(
    name: str, tmp_path: Path
) -> None:
    rendered = render(name, toy_signature(), 16, 1024)
    (tmp_path / "model.h").write_text(rendered.header, encoding="ascii")
    (tmp_path / "main.c").write_text('#include "model.h"\nint main(void) { return 0; }\n')
    command = ["cc", *WARNINGS, "-fsyntax-only", "main.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert re.fullmatch(r"\w+_run", exports(name)[-1], re.ASCII)


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_no_name_of_a_leaf_reaches_the_text_unless_it_is_a_path(name: str) -> None:
    signature = toy_signature()
    group = Group(flatten({"w": LEAF})[1], (Leaf(name, "float32", (4,)),))
    hostile = replace(signature, params=group)
    if name == "w":
        assert "params[0]: w" in render("m", hostile, 0, 0).header
        return
    with pytest.raises(LxcError):
        render("m", hostile, 0, 0)


def test_rendering_is_the_same_every_time() -> None:
    assert sources() == sources()
    assert "1024" in sources().header


def test_the_header_says_which_states_may_be_missing() -> None:
    carry = Structure("optional", (), (Structure("tuple", (), (LEAF, LEAF)),))
    tree = Structure("dict", ("rng", "carry"), (LEAF, carry))
    types = ("uint32", "bool", "float32", "float32")
    leaves = tuple(map(Leaf, tree.paths(), types, [()] * 4))
    one = Group(LEAF, (Leaf("x", "float32", ("N",)),))
    signature = replace(signature_of("cell", x=one, y=one), state=Group(tree, leaves))
    lines = render("cell", signature, 0, 0).header.splitlines()
    (line,) = (line for line in lines if "carry.present" in line)
    assert line == (
        "/* state[1]: carry.present bool[] "
        "(false until the model has made state[2], state[3]) */"
    )
    assert "/* state[2]: carry.0 float32[] */" in lines
