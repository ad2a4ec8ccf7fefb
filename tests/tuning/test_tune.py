"""lxc.tune: records for a model, in Python."""

from collections.abc import Callable
from pathlib import Path

import pytest

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.ir.machine import Machine
from lxc.record_file import read_records
from lxc.targets import TARGETS
from lxc.targets.kernels.split import even
from lxc.targets.kernels.tile_shapes import tile_shapes
from lxc.tuning import tune as tuning
from lxc.tuning.questions import Question
from lxc.tuning.race import Timing
from tests.tuning.models import LEVEL, drawn

NET = nn.Dense(24, 70)
X = drawn(5, 24)


class LastIsBest:
    """A bench on which the last option of every kernel is the fastest."""

    def times(self, question: Question, note: Callable[[int], None]) -> dict[str, Timing]:
        """Return made-up times."""
        times = {option: Timing(3000, 3000) for option in question.answer.options}
        return times | {question.answer.options[-1]: Timing(1000, 1000)}


def test_records_of_a_model_are_kept_in_a_file_and_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MachineBench", LastIsBest)
    path, trees = tmp_path / "r.json", lxc.setup(0, NET)
    records = lxc.tune(NET, X, *trees, records=path, target=LEVEL)
    assert read_records(path) == records
    (record,) = records.entries.values()
    given, read = (
        lxc.compile(NET, X, *trees, target=LEVEL, records=known)
        for known in (records, path)
    )
    assert given.artifact.sha256 == read.artifact.sha256
    (kernel,) = [one for one in given.target.kernels if one["tuned"]]
    assert kernel["tiles"] == record.choice


def test_a_target_of_another_machine_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.json"
    with pytest.raises(LxcError, match="LXC-E0308"):
        lxc.tune(NET, X, *lxc.setup(0, NET), records=path, target="aarch64-linux")
    assert not path.exists()


@pytest.mark.parametrize("machine", [one.machine for one in TARGETS.values()], ids=str)
@pytest.mark.parametrize(("rows", "width"), [(1, 32), (49, 20), (196, 6), (12544, 1)])
@pytest.mark.parametrize("streamed", [False, True])
def test_shapes_of_tiles_fit_the_registers_and_cut_differently(
    machine: Machine, rows: int, width: int, *, streamed: bool
) -> None:
    kind = {"shared": True, "long": False, "streamed": streamed}
    shapes = tile_shapes(rows, width, machine, 16, **kind)
    assert all(tall * broad < machine.registers for tall, broad in shapes)
    cuts = {str((even(rows, tall), even(width, broad))) for tall, broad in shapes}
    assert len(cuts) == len(shapes)


@pytest.mark.parametrize("machine", [one.machine for one in TARGETS.values()], ids=str)
@pytest.mark.parametrize(("rows", "width"), [(28, 4), (49, 8), (49, 16), (16, 32)])
def test_tiles_read_vectors_that_are_streamed_less_often(
    machine: Machine, rows: int, width: int
) -> None:
    def lines(tall: int) -> int:
        return -(-rows // tall)

    usual, streamed = (
        tile_shapes(rows, width, machine, 16, shared=True, long=False, streamed=one)[0]
        for one in (False, True)
    )
    assert lines(streamed[0]) <= lines(usual[0])


@pytest.mark.parametrize("machine", [one.machine for one in TARGETS.values()], ids=str)
def test_a_row_alone_reads_large_weights_in_few_places(machine: Machine) -> None:
    near, far = (
        tile_shapes(1, 256, machine, 16, shared=True, long=False, read_once=one)[0]
        for one in (False, True)
    )
    assert near == (1, 8)
    assert far == (1, 4 if machine.lanes == 16 else 8)


@pytest.mark.parametrize("machine", [one.machine for one in TARGETS.values()], ids=str)
@pytest.mark.parametrize(("rows", "width"), [(56, 4), (49, 8), (196, 16), (28, 32)])
def test_tiles_of_far_vectors_are_tall_and_reach_less_often_into_much_memory(
    machine: Machine, rows: int, width: int
) -> None:
    near, far, farther = (
        tile_shapes(rows, width, machine, 16, shared=True, long=False, far_bytes=one)[0]
        for one in (0, machine.second_cache, machine.second_cache + 1)
    )
    assert near[0] <= far[0]
    assert far[1] <= farther[1]
    if machine.registers >= 28 and width == 32:
        assert far[1] < farther[1]
