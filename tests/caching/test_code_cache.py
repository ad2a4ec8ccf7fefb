"""Compiled code that is kept: the same bytes, only for the same thing, no obstacle."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lxc.caching.code_cache import CodeCache
from lxc.caching.folder import SUFFIX, Folder
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.passes import Choices
from lxc.runtime.artifact import read
from lxc.targets import Target, targets_named
from lxc.targets import compile as compiling
from lxc.targets.compile import build_artifact
from lxc.targets.part import part_from

NET = """graph @net lux {
  input %x: f32[4]
  tree inputs = *
  tree params = []
  tree state = []
  tree outputs = *
  %0: f32[4] = tanh(%x) {fast = false} at layer_1
  return %0
}"""
OTHER = NET.replace("f32[4]", "f32[5]")
LEVELS = targets_named(["x86-64-v2", "x86-64-v3"])


def built(text: str, kept: CodeCache | None, *, exact: bool = False) -> bytes:
    choices = Choices(exact=exact)
    return build_artifact(parse_graph(text), LEVELS, name="net", choices=choices, kept=kept)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, said: list[str]) -> CodeCache:
    return CodeCache(tmp_path / "cache", say=said.append)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(graph: Graph, target: Target, **_: object) -> None:
        raise AssertionError(f"{graph.name} was compiled for {target.name}")

    monkeypatch.setattr(compiling, "compile_target", refuse)


@pytest.fixture
def filled(cache: CodeCache, said: list[str]) -> bytes:
    """Return the bytes that filled the cache; they are those without one."""
    made = built(NET, cache)
    assert made == built(NET, None)
    assert said == ["not in the cache: it is empty", "not in the cache: another target"]
    said.clear()
    return made


def test_what_was_compiled_before_is_not_compiled_again_and_has_the_same_bytes(
    cache: CodeCache, filled: bytes, said: list[str], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("no_compiler")
    assert built(NET, cache) == filled
    assert said == [f"code for {level.name} is from the cache" for level in LEVELS]


def test_another_model_or_option_is_a_miss_that_says_what_differs(
    cache: CodeCache, filled: bytes, said: list[str]
) -> None:
    assert built(OTHER, cache) != filled
    assert said[0] == "not in the cache: another model"
    said.clear()
    assert read(built(NET, cache, exact=True)).signature == read(filled).signature
    assert said[0] == "not in the cache: another option"


CONSTANT = """graph @net lux {
  input %x: f32[40]
  data #table: f32[40]
  tree inputs = *
  tree params = []
  tree state = []
  tree outputs = *
  %0: f32[40] = add(%x, #table) at layer_1
  return %0
}"""


def test_a_constant_is_part_of_the_model(cache: CodeCache, said: list[str]) -> None:
    tables = [np.arange(40, dtype=np.float32) + number for number in range(2)]
    graphs = [parse_graph(CONSTANT, {"#table": table}) for table in tables]
    made = [build_artifact(g, LEVELS[:1], name="net", kept=cache) for g in graphs]
    assert said[1] == "not in the cache: another model"
    for graph, first in zip(graphs, made, strict=True):
        assert build_artifact(graph, LEVELS[:1], name="net", kept=cache) == first
    assert said[2:] == ["code for x86-64-v2 is from the cache"] * 2


def test_another_compiler_takes_nothing(
    cache: CodeCache,
    filled: bytes,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lxc.caching.code_cache.compiler_digest", lambda: "another")
    assert built(NET, cache) == filled
    assert said[0] == "not in the cache: lxc itself has changed"


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_entry_is_a_miss_and_is_made_again(
    cache: CodeCache, filled: bytes, said: list[str], keep: int
) -> None:
    entry = cache.folder.entries()[0].path
    whole = entry.read_bytes()
    flipped = bytes([whole[keep] ^ 1])
    entry.write_bytes(whole[:keep] if keep >= 0 else whole[:keep] + flipped)
    assert built(NET, cache) == filled
    assert "not in the cache: the entry is damaged" in said
    assert entry.read_bytes() == whole


def test_a_folder_that_cannot_be_written_does_not_stop_a_compile(
    tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert built(NET, CodeCache(tmp_path / "file" / "cache", say=said.append))
    assert any(line.startswith("the cache is not written: ") for line in said)


def test_a_folder_that_others_may_write_is_not_trusted(
    cache: CodeCache,
    filled: bytes,
    said: list[str],
) -> None:
    cache.path.chmod(0o777)
    before = [entry.used for entry in cache.folder.entries()]
    assert built(NET, cache) == filled
    assert said[0] == f"the cache is not used: others may write to {cache.path}"
    assert [entry.used for entry in cache.folder.entries()] == before


def test_the_longest_unused_entries_give_way(cache: CodeCache, filled: bytes) -> None:
    first, second = cache.folder.entries()
    os.utime(first.path, (2e9, 2e9))
    built(OTHER, CodeCache(cache.path, most_bytes=first.bytes + 1))
    left = [entry.path for entry in cache.folder.entries()]
    assert second.path not in left
    assert first.path in left


def test_what_a_killed_writer_left_counts_and_gives_way(tmp_path: Path) -> None:
    (tmp_path / ".lxc-partial-a-1-0").write_bytes(b"half")
    (tmp_path / f"a{SUFFIX}").write_bytes(b"whole")
    folder = Folder(tmp_path)
    assert sum(entry.bytes for entry in folder.entries()) == 9
    os.utime(tmp_path / ".lxc-partial-a-1-0", (1, 1))
    assert [entry.bytes for entry in folder.shrink(5)] == [4]


def store_some(folder: Path, part: bytes) -> list[int]:
    """Keep and find a few parts, as four threads of a process do beside others."""
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda _: store_one_by_one(folder, part), range(4)))


def store_one_by_one(folder: Path, part: bytes) -> int:
    """Return how many of those just kept were still there, whole."""
    kept = CodeCache(folder, most_bytes=3 * len(part))
    found = 0
    for turn in range(16):
        wanted = {"model": f"{turn % 8:064x}"}
        kept.keep(wanted, part_from(part))
        result = kept.find(wanted)
        assert result is None or result.to_bytes() == part
        found += result is not None
    return found


def test_sixteen_writers_at_once_find_whole_entries_or_none(
    cache: CodeCache, filled: bytes
) -> None:
    part = cache.folder.entries()[0].path.read_bytes()
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(4, context) as processes:
        jobs = [processes.submit(store_some, cache.path, part) for _ in range(4)]
        found = [count for job in jobs for count in job.result()]
    assert len(found) == 16
    assert sum(found) > 0
    entries = cache.folder.entries()
    assert sum(entry.bytes for entry in entries) <= 4 * len(part)
    assert all(part_from(entry.path.read_bytes()).code for entry in entries)
