"""Which code a machine takes, and what it says where there is none."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.errors import CODES, LxcError
from lxc.runtime import CompiledModel, artifact, load
from lxc.runtime.cards.machine import Cards, find_cards, runs_on
from lxc.runtime.manifest import TargetRecord, manifest_from_bytes
from tests.cards.emulated import built_driver
from tests.cards.toy import Emulated, encoded, toy_on_card
from tests.conftest import Golden
from tests.runtime.conftest import Toy, toy_result, toy_trees

GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
X = np.ones((5, 4), np.float32)


def refused(call: Callable[[], object]) -> str:
    """Return what the error of a call says on any machine."""
    with pytest.raises(LxcError) as error:
        call()
    assert error.value.code in CODES
    return re.sub(r"\d+ CPU features", "some CPU features", f"{error.value}\n")


def both(toy: Toy, **changes: Any) -> bytes:
    """Return an artifact with code for the processor and for cards."""
    made = artifact.read(encoded(**changes))
    members = {**toy.members(), **{name: made.read(name) for name in made.manifest.members}}
    targets = [toy.target(), *made.targets]
    return artifact.write(None, signature=toy.signature, targets=targets, members=members)


def test_the_card_is_taken_where_one_fits(toy: Toy, card: Emulated) -> None:
    made = both(toy)
    assert load(made).target.name == "cuda"
    assert load(made, target="here").target.name == "here"
    with card.having("version", 11080):
        assert load(made).target.name == "here"
    with card.having("cards", 0):
        assert load(made).target.name == "here"
    params, state = toy_trees()
    results = [load(made, target=name)(X, params, state)[0] for name in ("here", "cuda")]
    np.testing.assert_array_equal(*results)


def test_the_first_card_that_fits_is_taken(card: Emulated) -> None:
    card.set_capabilities(75, 80, 90, 90)
    try:
        with card.having("cards", 3):
            model = CompiledModel(artifact.read(encoded()))
            assert model.to_machine(X).__dlpack_device__() == (2, 2)
            y, _ = model(X, *toy_trees())
    finally:
        card.set_capabilities(90, 90, 90, 90)
    np.testing.assert_array_equal(y, toy_result(*toy_trees(), X))


def test_a_card_can_be_named(card: Emulated, golden: Golden) -> None:
    with card.having("cards", 2):
        assert load(encoded(), card=1).to_machine(X).__dlpack_device__() == (2, 1)
        said = refused(lambda: load(encoded(), card=2))
        golden.compare(GOLDEN / "card-of-no-such-number.txt", said)


def test_an_array_on_another_card_is_refused(card: Emulated, golden: Golden) -> None:
    with card.having("cards", 2):
        here, there = load(encoded()), load(encoded(), card=1)
        x = there.to_machine(X)
        said = refused(lambda: here(x, *toy_trees()))
        golden.compare(GOLDEN / "card-is-another-one.txt", said)


def test_a_card_that_is_too_old_is_refused(card: Emulated, golden: Golden) -> None:
    made = encoded(images=("sm_90a", "compute_80"))
    card.set_capabilities(75)
    try:
        said = refused(lambda: load(made))
    finally:
        card.set_capabilities(90)
    golden.compare(GOLDEN / "card-too-old.txt", said)


def test_a_driver_that_is_too_old_is_refused(card: Emulated, golden: Golden) -> None:
    with card.having("version", 11080):
        said = refused(lambda: load(encoded()))
    golden.compare(GOLDEN / "card-driver-too-old.txt", said)


def test_text_needs_a_driver_as_new_as_its_compiler(
    toy: Toy, card: Emulated, golden: Golden
) -> None:
    made = encoded(images=("sm_80", "compute_80"), driver=13010)
    with card.having("version", 13000):
        said = refused(lambda: load(made))
        golden.compare(GOLDEN / "card-driver-older-than-text.txt", said)
        assert load(encoded(images=("sm_90a", "compute_80"), driver=13010))
        assert load(both(toy, images=("compute_80",), driver=13010)).target.name == "here"
    with card.having("version", 13010):
        assert load(made)


def test_a_driver_that_fails_is_refused(card: Emulated, golden: Golden) -> None:
    card.fail("cuInit", 700)
    said = refused(lambda: load(encoded()))
    golden.compare(GOLDEN / "card-driver-fails.txt", said)
    load(encoded())


WITHOUT_DRIVER = """
import re, sys
import numpy as np
from lxc.errors import LxcError
from lxc.runtime import load

try:
    load(sys.argv[1])
except LxcError as error:
    print(re.sub(r"[0-9]+ CPU features", "some CPU features", str(error)))
assert not {name.partition(".")[0] for name in sys.modules} & {"tvm", "tvm_ffi", "click"}
"""


def test_without_a_driver_there_is_an_error_that_says_so(
    tmp_path: Path, golden: Golden
) -> None:
    (tmp_path / "toy.lxc").write_bytes(encoded())
    command = [sys.executable, "-c", WITHOUT_DRIVER, str(tmp_path / "toy.lxc")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    golden.compare(GOLDEN / "card-without-a-driver.txt", done.stdout)


def test_out_of_memory_on_the_card_leaves_the_model_usable(
    card: Emulated, golden: Golden
) -> None:
    model = toy_on_card()
    y, _ = model(X, *toy_trees())
    with card.having("memory", card["bytes_in_use"] + 1024):
        said = refused(lambda: model.to_machine(np.zeros(1 << 20, np.float32)))
        golden.compare(GOLDEN / "card-out-of-memory.txt", said)
        np.testing.assert_array_equal(model(X, *toy_trees())[0], y)


def test_memory_that_nobody_uses_is_given_back_before_one_is_refused(
    card: Emulated,
) -> None:
    model = toy_on_card()
    model.to_machine(np.zeros(1 << 20, np.float32))  # and dropped
    with card.having("memory", card["bytes_in_use"] + 1024):
        made = model.to_machine(np.ones((1 << 20) + (1 << 19), np.uint16))
        assert made.numpy().all()


def test_a_stream_is_for_cards(toy: Toy, golden: Golden) -> None:
    model = toy.model()
    said = refused(lambda: model(X, *toy_trees(), stream=7))
    golden.compare(GOLDEN / "stream-on-the-processor.txt", said)


FORKED = """
import ctypes, os, sys
import numpy as np
from lxc.errors import LxcError
from lxc.runtime import load

ctypes.CDLL(sys.argv[2], mode=ctypes.RTLD_GLOBAL)
model = load(sys.argv[3])
x = np.ones((5, 4), np.float32)
if sys.argv[1] == "used":
    model(x, model.params, model.state)
child = os.fork()
if child == 0:
    for _ in range(2):
        try:
            model(x, model.params, model.state)
        except LxcError as error:
            print(error, flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
model(x, model.params, model.state)
assert not {name.partition(".")[0] for name in sys.modules} & {"tvm", "tvm_ffi", "click"}
"""


@pytest.mark.parametrize("how", ["used", "loaded"])
def test_a_forked_child_gets_an_error_and_the_parent_goes_on(
    how: str, golden: Golden, tmp_path: Path
) -> None:
    (tmp_path / "toy.lxc").write_bytes(encoded())
    files = str(built_driver(tmp_path)), str(tmp_path / "toy.lxc")
    command = [sys.executable, "-c", FORKED, how, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.rstrip().split("error[")[1:]
    assert first.strip() == second.strip()
    golden.compare(GOLDEN / "card-after-a-fork.txt", f"error[{first.strip()}\n")


@pytest.mark.parametrize(
    ("image", "runs", "fails"),
    [
        ("sm_80", (80, 86, 89), (75, 90, 120)),
        ("sm_86", (86, 89), (80, 90)),
        ("sm_90a", (90,), (89, 100)),
        ("compute_80", (80, 90, 100, 120), (75,)),
        ("compute_90a", (90,), (100,)),
        ("sm_100f", (100, 103), (90, 110, 120)),
    ],
)
def test_an_image_runs_on_the_cards_that_nvidia_says(
    image: str, runs: tuple[int, ...], fails: tuple[int, ...]
) -> None:
    assert [card for card in (*runs, *fails) if runs_on(image, card)] == [*runs]


def test_what_the_driver_says_of_its_cards_is_told(card: Emulated) -> None:
    with card.having("cards", 2):
        found = find_cards(None)
    assert found == Cards(13000, {0: 90, 1: 90})
    assert hash(found) == hash(Cards(13000, {0: 90, 1: 90}))
    assert str(found) == (
        "a driver for CUDA 13.0, card 0 of compute capability 9.0, "
        "card 1 of compute capability 9.0"
    )


def test_images_and_driver_survive_the_manifest(card: Emulated) -> None:
    target = artifact.read(encoded(images=("sm_80", "compute_80"), driver=12040)).targets
    assert [(one.images, one.driver) for one in target] == [
        (("sm_80", "compute_80"), 12040)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"images": ("sm_9",)},
        {"images": ("gfx90a",)},
        {"images": ("sm_\N{ARABIC-INDIC DIGIT NINE}0",)},
        {"glibc": "2.\N{ARABIC-INDIC DIGIT NINE}"},
        {"driver": -1},
        {"driver": 10**9},
    ],
)
def test_a_manifest_with_impossible_cards_is_refused(
    changes: dict[str, Any], card: Emulated
) -> None:
    with pytest.raises(LxcError) as error:
        encoded(**changes)
    assert error.value.code == "LXC-E0402"


def test_a_manifest_of_a_format_without_cards_has_none(card: Emulated) -> None:
    text = artifact.read(encoded()).manifest.to_bytes()
    with pytest.raises(LxcError, match="a format that has no code for cards") as error:
        manifest_from_bytes(text.replace(b'"format":2', b'"format":1'))
    assert error.value.code == "LXC-E0402"


def test_code_for_processors_needs_no_newer_format(toy: Toy) -> None:
    assert b'"format":1' in artifact.read(toy.encode()).manifest.to_bytes()
    assert b'"format":2' in artifact.read(encoded()).manifest.to_bytes()
    assert TargetRecord("a", "b", (), 0, 0).images == ()
