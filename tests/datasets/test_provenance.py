"""Fingerprints change with everything that changes a result, and with nothing else."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from larix.datasets import provenance
from larix.datasets.provenance import (
    Provenance,
    content_digest,
    expected_provenance,
    read_record,
    record_path,
    write_record,
)


def read(params: object) -> None: ...


def train(data: object, params: object, n_threads: object, engine: object) -> None: ...


def other_train(data: object, params: object, n_threads: object, engine: object) -> None: ...


@dataclass(frozen=True)
class Files:
    file: str

    def source_files(self) -> list[Path]:
        return [Path(self.file)]


def fingerprints(parameters: dict[str, Any], *, second: Any = train, source: str = "") -> dict[str, str]:
    nodes = [
        SimpleNamespace(name="read", func=read, inputs=["raw", "params:reading"], outputs=["data"]),
        SimpleNamespace(
            name="train",
            func=second,
            inputs=["data", "params:training", "params:n_threads", "params:engine"],
            outputs=["model", "log"],
        ),
    ]
    machine = {"params:n_threads": 1, "params:engine": "local"}
    values = {"params:reading": 1, "params:training": {"Cp": 1.0}, **machine, **parameters}
    made = expected_provenance(nodes, values.__getitem__, lambda _: source)
    return {name: one.fingerprint for name, one in made.items()}


USUAL = fingerprints({})


def test_equal_runs_give_equal_fingerprints():
    assert fingerprints({}) == USUAL
    assert USUAL["model"] == USUAL["log"]


def test_a_parameter_changes_what_it_makes_and_what_is_made_from_that():
    changed = fingerprints({"params:reading": 2})
    assert changed["data"] != USUAL["data"]
    assert changed["model"] != USUAL["model"]


def test_a_parameter_leaves_what_is_made_before_it():
    changed = fingerprints({"params:training": {"Cp": 2.0}})
    assert changed["data"] == USUAL["data"]
    assert changed["model"] != USUAL["model"]


def test_another_function_changes_what_it_makes():
    assert fingerprints({}, second=other_train)["model"] != USUAL["model"]


def test_another_version_of_larix_changes_everything(monkeypatch):
    monkeypatch.setattr(provenance.larix, "__version__", "99.0")
    assert set(fingerprints({}).values()).isdisjoint(USUAL.values())


def test_sources_that_no_node_makes_count():
    assert fingerprints({}, source="changed")["data"] != USUAL["data"]


def test_neither_the_number_of_threads_nor_the_engine_counts():
    assert fingerprints({"params:n_threads": 8, "params:engine": "cluster"}) == USUAL


def test_a_file_named_by_a_parameter_counts_with_its_size_and_time(tmp_path):
    file = tmp_path / "corpus.jsonl"
    file.write_text("one")
    parameters = {"params:reading": Files(str(file))}
    before = fingerprints(parameters)
    assert fingerprints(parameters) == before
    os.utime(file, ns=(1, 1))
    touched = fingerprints(parameters)
    file.unlink()
    assert len({before["data"], touched["data"], fingerprints(parameters)["data"]}) == 3


@pytest.fixture
def artefact(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("{}")
    return path


PROVENANCE = Provenance("node", {"a": 1}, {}, "digest")


def test_a_record_tells_what_an_artefact_was_made_from(artefact):
    write_record(artefact, PROVENANCE)
    assert read_record(artefact) == PROVENANCE.fingerprint
    record = json.loads(record_path(artefact).read_text())
    assert record["node"] == "node"
    assert record["parameters"] == {"a": 1}


def test_a_record_counts_only_for_the_bytes_it_was_written_for(artefact):
    write_record(artefact, PROVENANCE)
    artefact.write_text("{ }")
    assert read_record(artefact) is None


def test_a_record_without_its_artefact_counts_for_nothing(artefact):
    artefact.unlink()
    write_record(artefact, PROVENANCE)
    assert read_record(artefact) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"fingerprint": "a"}', b"\xff"])
def test_a_damaged_record_counts_for_nothing(artefact, content):
    record_path(artefact).write_bytes(content)
    assert read_record(artefact) is None


def test_the_manifest_stands_for_a_folder(tmp_path):
    assert content_digest(tmp_path) is None
    (tmp_path / "model.json").write_text("{}")
    assert content_digest(tmp_path) == content_digest(tmp_path / "model.json")
