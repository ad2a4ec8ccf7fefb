"""A model whose entries are written in C by hand, to test what is around them."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from lxc.runtime.signature import Signature
from lxc.runtime.signature_json import signature_from_json
from lxc.targets.llvm.c_abi import Sources, render

ENTRIES = Path(__file__).parent.parent / "runtime" / "entries"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wvla", "-Werror")


def toy_signature(name: str = "toy") -> Signature:
    described = json.loads((ENTRIES / "toy.json").read_text())
    return replace(signature_from_json(described), name=name)


def sources(name: str = "toy") -> Sources:
    return render(name, toy_signature(name), 16, 1024)


def compile_c(text: Path, folder: Path, *flags: str) -> bytes:
    output = folder / "compiled.o"
    command = ["cc", "-c", "-O2", "-fPIC", *flags, str(text), "-o", str(output)]
    subprocess.run(command, check=True)
    return output.read_bytes()
