"""Flip one thing in a copy of the code and see which tests fail.

`python -m tests.conformance.mutations` copies the project to a temporary folder, makes each
change of the list below by itself, runs the tests that stand beside it (as Python runs
them, without compiling), and prints which of them failed. It ends with status 1 if a named
test passes in spite of the change, or fails without it.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("frontend", "ir", "lxc", "passes", "runtime", "targets", "tests")
FOLDER = "tests/conformance"


@dataclass(frozen=True)
class Mutation:
    """A change of one place in a file, and the tests that have to notice."""

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "the epsilon of BatchNorm is 1e-3",
        "frontend/layers/norm.py",
        "epsilon: float = 1e-5",
        "epsilon: float = 1e-3",
        (
            "test_batch_norm.py::test_epsilon_is_inside_the_root",
            "test_batch_norm.py::test_three_training_calls_are_those_of_torch",
        ),
    ),
    Mutation(
        "the gates of LSTMCell are f, i, g, o",
        "frontend/layers/lstm.py",
        "i, f, g, o = ops.split",
        "f, i, g, o = ops.split",
        (
            "test_lstm_cell.py::test_an_lstm_cell_has_gates_i_f_g_o_and_ones_on_g",
            "test_lstm_cell.py::test_an_lstm_cell_is_that_of_torch",
            "test_recurrence.py::test_the_last_output_of_a_sequence",
        ),
    ),
    Mutation(
        "the reset gate of GRUCell does not reach its bias",
        "frontend/layers/gru.py",
        "ops.add(inner, ops.multiply(r, from_state[2]))",
        "ops.add(inner, from_state[2])",
        (
            "test_gru_cell.py::test_the_reset_gate_of_a_gru_cell_multiplies_the_product",
            "test_gru_cell.py::test_a_gru_cell_is_that_of_torch",
        ),
    ),
    Mutation(
        "SamePad puts the odd cell behind",
        "frontend/padding.py",
        "((total + 1) // 2, total // 2)",
        "(total // 2, (total + 1) // 2)",
        (
            "test_convolution.py::test_same_pad_puts_the_odd_cell_in_front_whatever_the_stride",
            "test_pools.py::test_same_pad_puts_the_odd_cell_in_front",
        ),
    ),
    Mutation(
        "Conv does not flip its kernel",
        "frontend/layers/conv.py",
        "        if self.flips:",
        "        if not self.flips:",
        (
            "test_convolution.py::test_conv_flips_and_crosscor_does_not",
            "test_traps_convolution.py::test_conv_flips_and_neither_crosscor_nor_kaun_does",
        ),
    ),
    Mutation(
        "Kaun's gelu is the tanh form",
        "frontend/kaun/activations.py",
        "Function(activations.gelu_erf)",
        "Function(activations.gelu)",
        (
            "test_kaun_layers.py::test_activations_are_those_of_torch",
            "test_traps_kaun.py::test_gelu_of_kaun_is_not_that_of_tanh",
        ),
    ),
    Mutation(
        "RoPE turns neighbours",
        "frontend/kaun/rope.py",
        "first, second = ops.split(wide, 2, -1)",
        "first, second = wide[..., ::2], wide[..., 1::2]",
        ("test_rope.py::test_rope_turns_halves_by_position",),
    ),
    Mutation(
        "heads of keys are dealt out in turn",
        "frontend/kaun/attention.py",
        "rows = ops.reshape(rows, (batch, self.num_kv_heads, together, size))",
        "rows = ops.reshape(ops.swapaxes(ops.reshape(rows, (batch, -1, self.num_kv_heads, "
        "length, size)), 1, 2), (batch, self.num_kv_heads, together, size))",
        ("test_attention.py::test_groups_of_consecutive_heads_share_keys_and_values",),
    ),
    Mutation(
        "Kaun's batch_norm moves ten times as fast",
        "frontend/kaun/norm.py",
        "MOVED = 0.01",
        "MOVED = 0.1",
        (
            "test_kaun_norms.py::"
            "test_batch_norm_stores_the_biased_variance_and_keeps_99_percent",
        ),
    ),
    Mutation(
        "LayerNorm reduces the last axis unless told otherwise",
        "frontend/layers/layer_norm.py",
        "dims: int | Sequence[int] | None = None,",
        "dims: int | Sequence[int] | None = -1,",
        ("test_layer_norm.py::test_layer_norm_takes_the_whole_array_with_the_batch",),
    ),
    Mutation(
        "SkipConnection hands the input first",
        "frontend/layers/branch.py",
        "return self.connection(y, x), st",
        "return self.connection(x, y), st",
        (
            "test_fusion.py::test_skip_connection_hands_the_processed_value_first",
            "test_traps_structure.py::test_the_skipped_value_is_the_second",
        ),
    ),
    Mutation(
        "dropout keeps what it should drop",
        "frontend/layers/dropout.py",
        "return ops.greater(ops.random_uniform(key, shape), p)",
        "return ops.less(ops.random_uniform(key, shape), p)",
        (
            "test_dropout.py::test_kept_values_are_scaled_and_the_mask_is_that_of_eager",
            "test_hidden_dropout.py::test_the_mask_is_kept_until_a_new_one_is_asked_for",
        ),
    ),
    Mutation(
        "RNNCell starts from zeros",
        "frontend/layers/rnn.py",
        "init_state: Initializer = ones32",
        "init_state: Initializer = zeros32",
        ("test_rnn_cell.py::test_an_rnn_cell_starts_from_ones",),
    ),
)


def copy_of_the_project(folder: Path) -> Path:
    """Return a copy of the code and its tests, links kept as links."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def failing(folder: Path, tests: Sequence[str]) -> list[str]:
    """Return which tests fail in a copy, run by themselves in Python."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    chosen = ["-k", "not interpreter and not lowest-level and not highest-level"]
    paths = [f"{FOLDER}/{test}" for test in tests]
    run = [*command, *chosen, "-rfE", "--tb=no", *paths]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(
            f"pytest ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    found = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return [line.split()[1].removeprefix(f"{FOLDER}/") for line in found]


def noticed(mutation: Mutation, folder: Path) -> list[str]:
    """Return the tests that fail once the change is made; it is undone afterwards."""
    path = folder / mutation.file
    text = path.read_text("utf-8")
    path.write_text(text.replace(mutation.old, mutation.new, 1), "utf-8")
    try:
        return failing(folder, mutation.tests)
    finally:
        path.write_text(text, "utf-8")


def main() -> int:
    """Make every change in turn; return 1 if one of them goes unnoticed."""
    every = sorted({test for mutation in MUTATIONS for test in mutation.tests})
    status = 0
    with tempfile.TemporaryDirectory() as name:
        folder = copy_of_the_project(Path(name))
        for test in failing(folder, every):
            print(f"fails without any change: {test}")
            status = 1
        for mutation in MUTATIONS:
            found = noticed(mutation, folder)
            print(f"{mutation.what} ({mutation.file})")
            for test in found:
                print(f"  caught by {test}")
            unaware = [t for t in mutation.tests if not any(f.startswith(t) for f in found)]
            for test in unaware:
                print(f"  NOT NOTICED by {test}")
                status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
