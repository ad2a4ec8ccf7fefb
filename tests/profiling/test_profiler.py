"""A profile has every kernel as often as it is called, and changes no bit of a result."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import lxc
from lxc import kaun, nn
from lxc.commands.given_values import values_for
from lxc.passes.records import NO_RECORDS
from lxc.profiling import profiler
from lxc.profiling.profile import Profile
from lxc.profiling.profiler import OTHER_KERNELS, OTHER_RESULTS, Wish, profiled
from lxc.runtime.artifact import Artifact, read, write
from lxc.stored_model import IR
from lxc.targets import Target

STEPS, UNITS, ROWS = 6, 4, 5
FILES = {"params": None, "state": None}


class FixedCeilings:
    """A machine that nobody has to measure."""

    def __init__(self, target: Target, caches: Mapping[str, int]) -> None:
        """Need nothing of them."""

    def flops(self, dtype: str, threads: int) -> float:
        """Return 10 operations per nanosecond and thread."""
        return 10.0 * threads

    def reads(self, size: int, threads: int) -> tuple[str, float]:
        """Return 5 bytes per nanosecond from anywhere."""
        return "memory", 5.0

    def to_json(self) -> list[dict[str, Any]]:
        """Return nothing: nothing was measured."""
        return []


@pytest.fixture(autouse=True)
def fixed_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiler, "MachineCeilings", FixedCeilings)


def artifact_of(model: Any, x: Any, target: str = "x86-64-v2", **options: Any) -> Artifact:
    values = lxc.setup(0, model)
    return lxc.compile(model, x, *values, target=target, **options).artifact


def profile_of(artifact: Artifact, threads: int = 1) -> Profile:
    given = values_for(artifact, (), ("N=5",) if artifact.signature.dims else (), FILES)
    wish = Wish(artifact.targets[-1], threads, 0.0, NO_RECORDS)
    return profiled(artifact, given, wish, lambda step: None)


def check(artifact: Artifact, profile: Profile) -> None:
    """Every kernel that `lxc inspect` lists was seen, and nothing speaks against it."""
    assert list(profile.notes) == []
    rows = [row for row in (*profile.rows, *profile.prepare) if row.number is not None]
    numbers = sorted(row.number for row in rows if row.number is not None)
    kernels = artifact.targets[-1].kernels
    assert numbers == list(range(len(kernels)))
    for row in rows:
        assert row.number is not None
        assert row.facts["ops"] == kernels[row.number]["ops"]
        assert (row.times >= 0).all()


@pytest.mark.parametrize("target", ["x86-64-v2", "x86-64-v3"])
def test_a_network_with_a_dimension_is_profiled(target: str) -> None:
    model = nn.Chain(nn.Dense(3, UNITS, nn.relu), nn.BatchNorm(UNITS), nn.Dense(UNITS, 2))
    artifact = artifact_of(model, lxc.TensorSpec((lxc.Dim("N", 1, 8), 3)), target)
    profile = profile_of(artifact, threads=2)
    check(artifact, profile)
    assert profile.sizes == {"N": ROWS}
    (last,) = (row for row in profile.rows if row.layers == ("layer_3",))
    # A multiply-add per row, feature and result; an addition per row and result.
    assert last.flops == ROWS * 2 * UNITS * 2 + ROWS * 2
    assert last.bytes == 4 * (ROWS * UNITS + UNITS * 2 + 2 + ROWS * 2)
    assert last.calls == 1
    assert last.limit is not None
    assert last.limit.nanoseconds == pytest.approx(max(last.flops / 10, last.bytes / 5))
    page = profile._repr_html_()
    assert page.count("<tr>") == 1 + len(profile.rows)
    assert f"<td>{last.name}</td><td>layer_3</td>" in page


def test_the_kernels_of_a_scan_count_every_step() -> None:
    model = nn.Recurrence(nn.LSTMCell(3, UNITS), return_sequence=True)
    artifact = artifact_of(model, np.zeros((2, STEPS, 3), np.float32))
    profile = profile_of(artifact)
    check(artifact, profile)
    calls = {row.number: row.calls for row in profile.rows if row.number is not None}
    assert set(calls.values()) == {1, STEPS}
    products = [row for row in profile.rows if "dot" in row.name and row.calls == STEPS]
    assert products
    assert products[0].flops % STEPS == 0


def test_state_and_keys_are_profiled() -> None:
    cell = nn.StatefulRecurrentCell(nn.LSTMCell(3, UNITS))
    artifact = artifact_of(cell, np.zeros((2, 3), np.float32))
    check(artifact, profile_of(artifact))
    dropping = nn.Chain(nn.Dense(3, UNITS), nn.Dropout(0.5))
    artifact = artifact_of(dropping, np.zeros((2, 3), np.float32), mode="train")
    check(artifact, profile_of(artifact))


def test_a_model_with_constants_is_profiled() -> None:
    table = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    model = nn.WrappedFunction(lambda x: x @ table)
    artifact = artifact_of(model, np.zeros((2, 64), np.float32))
    assert artifact.signature.data
    check(artifact, profile_of(artifact))


def test_a_kaun_model_is_profiled() -> None:
    layer = kaun.sequential([kaun.linear(in_features=3, out_features=2), kaun.relu()])
    x = np.zeros((2, 3), np.float32)
    artifact = lxc.compile(layer, x, kaun.init(layer, "f32"), target="x86-64-v2").artifact
    check(artifact, profile_of(artifact))


def test_the_kernel_with_most_work_comes_first() -> None:
    widths = (8, 8, 512, 512, 8)
    model = nn.Chain(*(nn.Dense(a, b) for a, b in pairwise(widths)))
    artifact = artifact_of(model, np.zeros((64, 8), np.float32))
    profile = profile_of(artifact)
    check(artifact, profile)
    assert profile.rows[0].layers == ("layer_3",)
    assert profile.by_layer(1)[0].layer == "layer_3"


def test_code_that_computes_something_else_is_noticed() -> None:
    model = nn.Chain(nn.Dense(3, UNITS, nn.relu), nn.Dense(UNITS, 2))
    artifact = artifact_of(model, np.ones((2, 3), np.float32))
    text = artifact.read(IR).decode()
    changed = text.replace("value = [0x0p+0]", "value = [0x1p-1]", 1)
    assert changed != text
    altered = read(artifact.with_members({IR: changed.encode()}))
    assert OTHER_RESULTS in profile_of(altered).notes


def test_other_kernels_than_those_in_the_artifact_are_noticed() -> None:
    artifact = artifact_of(nn.Dense(3, 2), np.ones((2, 3), np.float32))
    (record,) = artifact.targets
    older = replace(record, kernels=record.kernels[:-1])
    members = {name: artifact.read(name) for name in (record.library, IR)}
    encoded = write(None, signature=artifact.signature, targets=[older], members=members)
    assert list(profile_of(read(encoded)).notes) == [OTHER_KERNELS]


def test_code_for_cards_is_left_out_and_that_is_told() -> None:
    artifact = artifact_of(nn.Dense(3, 2), np.ones((2, 3), np.float32))
    (record,) = artifact.targets
    cards = replace(record, name="cuda-sm80", images=("sm_80",), driver=12000)
    library = artifact.read(record.library)
    members = {record.library: library, cards.library: library, IR: artifact.read(IR)}
    encoded = write(
        None, signature=artifact.signature, targets=[cards, record], members=members
    )
    profile = profile_of(read(encoded))
    assert profile.target == "x86-64-v2"
    (note,) = profile.notes
    assert note == "kernels on cards are not profiled: cuda-sm80"
