"""Engine store: what is found, what replaces what, and what a damaged file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundle.bundle import Bundle
from edge.decoding import plan_windows
from edge.errors import RunnerError
from edge.runners.engines import DESCRIPTION, FILES, EngineKey, EngineSet, EngineStore, buckets
from edge.runners.vendor import Gpu

ORIN = Gpu("Orin", 87)


def key(graph: str = "a", library: str = "tensorrt 10.3.0", gpu: Gpu = ORIN, workspace: int = 1) -> EngineKey:
    return EngineKey(dict.fromkeys(FILES, graph), library, gpu, {"workspace_mib": workspace})


def add(store: EngineStore, wanted: EngineKey) -> EngineSet:
    with store.adding(wanted) as folder:
        for file in FILES.values():
            (folder / file).write_bytes(b"plan")
        store.describe(folder, wanted, {"sha256": {}})
    built = store.built(wanted)
    assert built is not None
    return built


@pytest.fixture
def store(tmp_path: Path) -> EngineStore:
    return EngineStore(tmp_path, "noah")


@pytest.mark.parametrize(
    "other",
    [key("b"), key(library="tensorrt 10.4.0"), key(gpu=Gpu("Orin", 110)), key(gpu=Gpu("Thor", 87))],
)
def test_what_does_not_run_here_is_not_found(store: EngineStore, other: EngineKey) -> None:
    store.activate(add(store, other))
    assert store.find(key()) is None and other.digest != key().digest


def test_other_flags_run_but_are_other_engines(store: EngineStore) -> None:
    store.activate(add(store, key(workspace=2)))
    found = store.find(key())
    assert found is not None and found.key == key(workspace=2) and store.built(key()) is None


def test_built_engines_are_not_used_before_they_are_activated(store: EngineStore) -> None:
    built = add(store, key())
    assert store.find(key()) is None
    store.activate(built)
    assert store.current() == built


def test_one_set_from_before_is_kept(store: EngineStore) -> None:
    added = []
    for graph in "0ab":
        added.append(add(store, key(graph)))
        store.activate(added[-1])
        store.activate(added[-1])
    oldest, first, second = added
    assert store.previous() == first and not oldest.path.exists()
    assert store.roll_back() == first and store.current() == first and store.previous() == second
    assert store.find(key("b")) == second, "a bundle that was rolled forward again finds its engines"


def test_rolling_back_from_nothing_is_one_line(store: EngineStore) -> None:
    store.activate(add(store, key()))
    with pytest.raises(RunnerError, match="no previous engines"):
        store.roll_back()


def test_a_build_that_fails_leaves_what_was_there(store: EngineStore) -> None:
    store.activate(add(store, key()))
    with pytest.raises(OSError, match="full"), store.adding(key("b")) as folder:
        (folder / "encoder.engine").write_bytes(b"half")
        raise OSError("full")
    assert store.current() is not None and store.built(key("b")) is None
    assert not [path for path in store.folder.iterdir() if "partial" in path.name]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": {}}', '{"key": 3, "facts": {}}'])
def test_a_damaged_description_is_no_engine(store: EngineStore, content: str) -> None:
    engines = add(store, key())
    store.activate(engines)
    (engines.path / DESCRIPTION).write_text(content, encoding="utf-8")
    assert store.current() is None and store.find(key()) is None


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_buckets_hold_every_window(tiny_voice: Path, workers: int) -> None:
    manifest = Bundle.load(tiny_voice).manifest
    around, largest = 2 * (manifest.context_frames + 1), buckets(manifest)["decoder.onnx"][-1]
    for n_frames in range(1, 600):
        for first in (0, manifest.first_window_frames):
            for start, stop in plan_windows(n_frames, first, manifest.window_frames, workers):
                assert stop - start + around <= largest
