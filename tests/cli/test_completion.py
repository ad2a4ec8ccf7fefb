"""What a shell offers while a command line is typed."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from lxc.commands import outline as outlines
from lxc.commands.group import VERBS, lxc
from lxc.commands.outline import FILE, outline
from lxc.targets import ALIASES, TARGETS
from tests.cli.conftest import Cli
from tests.conftest import Golden

STORED = Path(outlines.__file__).parent / FILE


def offered(*words: str) -> list[str]:
    """Return what is offered for the last word."""
    shell = ShellComplete(lxc, {}, "lxc", "_LXC_COMPLETE")
    found = shell.get_completions(list(words[:-1]), words[-1])
    return [item.value if item.type == "plain" else item.type for item in found]


def test_the_stored_outline_is_that_of_the_verbs(golden: Golden) -> None:
    verbs = {
        name: outline(importlib.import_module(f"lxc.commands.{name}").command)
        for name in VERBS
    }
    names = [*TARGETS, "native", *ALIASES]
    text = json.dumps({"targets": names, "verbs": verbs}, indent=1)
    golden.compare(STORED, f"{text}\n")


def test_verbs_and_options_are_completed(cli: Cli) -> None:
    assert offered("in") == ["inspect"]
    assert set(offered("")) == set(VERBS)
    assert offered("compile", "--prec") == ["--precision"]
    assert offered("compile", "--emit", "asm") == ["asm"]
    assert offered("cache", "p") == ["prune"]
    assert offered("nonsense", "x") == []


def test_targets_are_completed_one_after_the_other() -> None:
    assert offered("compile", "--target", "x86-64-v3,aarch64-l") == [
        "x86-64-v3,aarch64-linux"
    ]
    assert "native" in offered("compile", "--target", "n")


def test_files_are_left_to_the_shell() -> None:
    assert offered("inspect", "") == ["file"]
    assert offered("compile", "model.py:net", "-o", "") == ["file"]


def test_names_inside_an_artifact_are_completed(cli: Cli, net: Path) -> None:
    assert offered("run", "net.lxc", "--input", "") == ["x="]
    assert offered("run", "net.lxc", "--output", "") == ["y=@"]
    assert offered("verify", "net.lxc", "--dim", "N") == ["N="]
    assert offered("run", "net.lxc", "--input", "z") == []
    Path("broken.lxc").write_bytes(net.read_bytes()[:-100])
    assert offered("run", "broken.lxc", "--input", "") == []
    assert offered("run", "none.lxc", "--input", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_every_shell(cli: Cli, shell: str) -> None:
    script = cli("completion", shell).out
    assert f"_LXC_COMPLETE={shell}_complete" in script
    assert cli("completion", shell, "--json").json["script"] in script


def test_completing_does_not_import_the_compiler() -> None:
    code = (
        "import os, sys; os.environ |= {'_LXC_COMPLETE': 'bash_complete', "
        "'COMP_WORDS': 'lxc compile --tar', 'COMP_CWORD': '2'}\n"
        "from lxc.__main__ import run\n"
        "try: run([])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('tvm', 'networkx', 'rich') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["plain,--target", "[]"]


BASH = """
compopt() { OPTIONS="$1 $2"; }
offer() {
    OPTIONS='' COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDBREAKS=$' \\t\\n"=:@'
    _lxc_completion lxc "$2"
    echo "${COMPREPLY[*]}|$OPTIONS"
}
"""


def test_bash_completes_what_it_sees_as_several_words(cli: Cli, net: Path) -> None:
    script = cli("completion", "bash").out
    line = f'lxc() {{ {sys.executable} -m lxc; }}; env() {{ export "${{@:1:3}}"; lxc; }}'
    asked = {
        ("lxc compile m.py:net --target=x86-64-v4-b", "x86-64-v4-b"): "x86-64-v4-bf16|",
        ("lxc run net.lxc --input ", ""): "x=|-o nospace",
        ("lxc run net.lxc --output=y", "y"): "y=@|-o nospace",
        ("lxc run net.lxc --input x=@net", "@net"): "@net.lxc|",
        ("lxc verify net.lxc --st", "--st"): "--state|",
        ("lxc run net.lxc --target ", ""): "x86-64-v2 x86-64-v3|",
    }
    calls = "\n".join(f"offer '{words}' '{piece}'" for words, piece in asked)
    source = "\n".join((line, script.replace("complete -o", ": -o"), BASH, calls))
    environment = {"PYTHONPATH": str(STORED.parents[2]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", source], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "".join(f"{answer}\n" for answer in asked.values())


def test_targets_of_an_artifact_are_those_that_it_has(cli: Cli, net: Path) -> None:
    for verb in ("run", "profile", "graph"):
        assert offered(verb, "net.lxc", "--target", "") == ["x86-64-v2", "x86-64-v3"]
    assert "cuda" in offered("upgrade", "net.lxc", "--target", "c")
    assert "cuda" in offered("explain", "--target", "c")
    assert offered("run", "net.lxc", "--input", "x=@ne") == ["file"]
