"""Write the worked example: the digits network before, between and after the passes.

    python docs/generate.py

Fills `docs/worked-example/` with the traced graph, the graph at tensor level, the planned
program for one target, and every fusion decision. The tests check the files against a fresh
run.
"""

import runpy
from pathlib import Path

import lxc
from lxc.passes import LAYER_PIPELINE, TENSOR_PIPELINE, passes_named, run_passes
from lxc.targets import targets_named
from lxc.targets.compile import target_program

DOCS = Path(__file__).parent
EXAMPLE = DOCS.parent / "examples" / "digits" / "model.py"
TARGET = "x86-64-v3"


def pages() -> dict[str, str]:
    """Return the text of every file by name."""
    example = runpy.run_path(str(EXAMPLE), run_name="model")
    ps, st = example["trained"]()
    spec = lxc.TensorSpec((lxc.Dim("N", 1, 360), 1, 8, 8))
    traced = lxc.trace(example["model"], spec, ps, st, name="digits")
    flat = run_passes(traced, passes_named((*LAYER_PIPELINE, *TENSOR_PIPELINE)))
    (target,) = targets_named(TARGET)
    planned, program = target_program(flat.program, target)
    decisions = "".join(f"{decision}\n" for decision in planned.decisions)
    return {
        "1-traced.lxir": str(traced),
        "2-tensor-level.lxir": str(flat.program),
        f"3-planned-{TARGET}.lxir": str(program),
        "explain.txt": decisions,
    }


def main() -> None:
    """Write the files."""
    folder = DOCS / "worked-example"
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)
        print(folder / name)


if __name__ == "__main__":
    main()
