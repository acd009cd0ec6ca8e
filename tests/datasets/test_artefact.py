"""What all datasets have in common: existence, provenance, versions."""

import copy

import pytest
from kedro.io import DatasetError, Version

from larix.datasets import JSONDocumentDataset
from larix.datasets.provenance import Provenance, record_path

OLD, NEW = Provenance("node", {"a": 1}, {}, ""), Provenance("node", {"a": 2}, {}, "")


@pytest.fixture
def dataset(tmp_path):
    return JSONDocumentDataset(filepath=str(tmp_path / "document.json"))


def test_it_exists_once_it_is_saved(dataset):
    assert not dataset.exists()
    dataset.save({"a": 1})
    assert dataset.exists()
    assert dataset.load() == {"a": 1}


def test_it_exists_for_a_run_only_with_that_runs_provenance(dataset):
    dataset.expect(OLD)
    dataset.save({"a": 1})
    assert dataset.exists()
    dataset.expect(NEW)
    assert not dataset.exists()
    dataset.save({"a": 2})
    assert dataset.exists()
    dataset.expect(OLD)
    assert not dataset.exists()


def test_saved_outside_a_run_it_does_not_count_for_a_run(dataset):
    dataset.expect(OLD)
    dataset.save({"a": 1})
    dataset.expect(None)
    dataset.save({"a": 1})
    dataset.expect(OLD)
    assert not dataset.exists()


@pytest.mark.parametrize("stop_at", ["_write", "write_record"])
def test_stopped_while_saving_it_does_not_count(dataset, monkeypatch, stop_at):
    dataset.expect(OLD)
    dataset.save({"a": 1})

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    target = dataset if stop_at == "_write" else __import__("larix.datasets.artefact", fromlist=["x"])
    monkeypatch.setattr(target, stop_at, stop)
    with pytest.raises(KeyboardInterrupt):
        dataset.save({"a": 2})
    assert not dataset.exists()


def test_loading_what_is_not_there_says_so(dataset):
    with pytest.raises(DatasetError, match="does not exist; run the pipeline that makes it"):
        dataset.load()


def test_its_fingerprint_is_the_recorded_one_or_that_of_its_content(dataset):
    assert dataset.fingerprint() == ""
    dataset.save({"a": 1})
    by_content = dataset.fingerprint()
    dataset.expect(OLD)
    dataset.save({"a": 1})
    assert dataset.fingerprint() == OLD.fingerprint != by_content


def test_clock_times_have_no_fingerprint(tmp_path):
    times = JSONDocumentDataset(filepath=str(tmp_path / "times.json"), affects_results=False)
    times.save({"seconds": 1})
    assert times.fingerprint() == ""


def versioned(tmp_path, save: str, load: str | None = None) -> JSONDocumentDataset:
    return JSONDocumentDataset(filepath=str(tmp_path / "metrics.json"), version=Version(load, save))


def test_the_newest_version_is_loaded(tmp_path):
    assert not versioned(tmp_path, "1").exists()
    assert versioned(tmp_path, "1").fingerprint() == ""
    for version in ("1", "2"):
        versioned(tmp_path, version).save(version)
    assert versioned(tmp_path, "3").load() == "2"
    assert versioned(tmp_path, "3", load="1").load() == "1"


def test_a_version_that_is_not_whole_is_passed_over(tmp_path):
    versioned(tmp_path, "1").save("one")
    (tmp_path / "metrics.json" / "2").mkdir()
    assert versioned(tmp_path, "3").load() == "one"


def test_only_the_newest_versions_provenance_counts(tmp_path):
    for version, provenance in (("1", OLD), ("2", NEW)):
        dataset = versioned(tmp_path, version)
        dataset.expect(provenance)
        dataset.save(version)
    fresh = versioned(tmp_path, "3")
    fresh.expect(NEW)
    assert fresh.exists()
    fresh.expect(OLD)
    assert not fresh.exists()


def test_a_copy_as_kedro_makes_it_works_alone(dataset):
    dataset.expect(OLD)
    dataset.save([1])
    other = copy.deepcopy(dataset)
    assert other.exists()
    assert other.load() == [1]


def test_the_record_lies_beside_the_artefact(dataset, tmp_path):
    dataset.expect(OLD)
    dataset.save([1])
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"document.json", record_path(tmp_path / "document.json").name}
