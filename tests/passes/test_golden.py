"""Each pass turns the graph above the line into the graph below it.

The first line of a file names the passes: `// passes: fuse,hoist-prepare`. Where it goes
on with `; locations`, layer paths are compared too, and with `; precision` the words of
that option follow. Graphs are compared as they print, so the numbers of values do not
matter.
"""

from pathlib import Path

import pytest

from lxc.commands.precision import plan_from
from lxc.ir.graph import Program
from lxc.ir.parser import parse
from lxc.ir.printer import print_graph
from lxc.passes import PASSES, Choices, passes_named, run_passes
from lxc.passes.properties import Form
from tests.conftest import Golden

HERE = Path(__file__).parent
LINE = "----\n"
CASES = sorted(path for name in PASSES for path in HERE.glob(f"{name}/*.lxir"))


def printed(form: Form, locations: bool) -> str:
    """Return a graph or both halves of a program as text."""
    graphs = (form.prepare, form.run) if isinstance(form, Program) else (form,)
    return "\n".join(print_graph(graph, locations=locations) for graph in graphs)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_pass_gives_what_the_file_shows(path: Path, golden: Golden) -> None:
    first, _, rest = path.read_text("utf-8").partition("\n")
    before, _, after = rest.partition(LINE)
    names, *flags = first.removeprefix("// passes:").split(";")
    said = {word: rest for word, *rest in map(str.split, flags)}
    assert said.keys() <= {"locations", "precision"}
    locations = "locations" in said
    choices = Choices(precision=plan_from(said.get("precision", [])))
    passes = passes_named(name.strip() for name in names.split(","))
    outcome = run_passes(parse(before), passes, choices=choices)
    actual = printed(outcome.program, locations)
    if after and printed(parse(after), locations) == actual:
        return
    golden.compare(path, f"{first}\n{before}{LINE}{actual}")


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_has_a_case_that_changes_and_one_that_does_not(name: str) -> None:
    changed = set()
    for path in HERE.glob(f"{name}/*.lxir"):
        _, _, rest = path.read_text("utf-8").partition("\n")
        before, _, after = rest.partition(LINE)
        changed.add(printed(parse(before), False) != printed(parse(after), False))
    always = {"fuse", "hoist-prepare", "plan-memory"}
    assert changed == ({True} if name in always else {True, False})
