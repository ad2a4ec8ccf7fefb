"""Golden files and the table of conformance: `--bless` rewrites what tests expect."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.conformance.record import Record, properties
from tests.emulation.machines import choose_targets
from tests.machine_code.reader import read_hot_loops

# How long an example takes says nothing but how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the expected texts")
    parser.addoption(
        "--target",
        action="append",
        default=[],
        help="test this target, in an emulator if need be, not the x86-64 levels",
    )
    parser.addoption(
        "--card", action="store_true", help="run code for cards on the card of this machine"
    )
    parser.addoption(
        "--hot-loops", action="store_true", help="read the machine code of all tests"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose targets; record rows of conformance where all reports come together."""
    choose_targets(config.getoption("--target"), has_card=config.getoption("--card"))
    read_hot_loops(config)
    whole = not config.getoption("--target")
    if whole and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Record(bool(config.getoption("--bless"))))


def pytest_report_header(config: pytest.Config) -> str:
    """Say what runs the kernels of code for cards."""
    on_card = config.getoption("--card")
    return f"kernels for cards: {'on the card' if on_card else 'emulated'}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the reports of a test say which rows it pins."""
    item.user_properties += properties(item)


class Golden:
    """Texts that tests compare with files."""

    def __init__(self, bless: bool) -> None:
        """With `bless`, differences are written instead of reported."""
        self.bless = bless

    def compare(self, path: Path, actual: str) -> None:
        """Fail if the file does not hold `actual`; it must exist unless it is blessed."""
        if self.bless:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, "utf-8")
        assert path.exists(), f"{path} is missing; run the test with --bless and read it"
        assert actual == path.read_text("utf-8"), f"{path} differs; --bless rewrites it"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return the comparison with golden files."""
    return Golden(bool(request.config.getoption("--bless")))


@pytest.fixture(scope="session", autouse=True)
def no_kept_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile everything: a file stands where compiled code would be kept."""
    home = tmp_path_factory.mktemp("home")
    (home / ".cache").mkdir()
    (home / ".cache" / "lxc").write_text("in the way")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", str(home))
        yield
