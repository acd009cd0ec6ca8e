"""Runs are kept, listed and found by what a user calls them."""

import numpy as np
import pytest
import scipy.sparse as sp

from larix.last_run import NoRunError
from larix.runs.ledger import RunLedger, find_ledger, find_run
from larix.runs.record import is_version, plain_parameters, version_folder
from larix.runs.test_documents import digest_of_test_set
from larix.xmc.clustering import ClusteringParams
from tests.runs.conftest import version


def test_a_run_comes_back_as_it_was_and_the_newest_first(ledger, add_run):
    written = [add_run(day) for day in (1, 3, 2)]
    assert [run.version for run in ledger.runs()] == [version(3), version(2), version(1)]
    assert ledger.runs()[0] == written[1]


def test_a_project_that_was_moved_keeps_its_runs(add_run, tmp_path):
    add_run(1)
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    (run,) = RunLedger(moved).runs()
    assert run.path("metrics").is_dir()


def test_what_is_no_run_is_passed_over_with_a_warning(ledger, add_run, caplog):
    add_run(1)
    for name, content in (("broken", "{"), ("other", '{"version": "x"}'), ("list", "[1]")):
        (ledger.project / "data" / "runs" / f"{name}.json").write_text(content)
    assert len(ledger.runs()) == 1
    assert len(caplog.records) == 3


def test_the_ledger_is_found_from_below_the_project(ledger, add_run):
    add_run(1)
    below = ledger.project / "notebooks" / "deep"
    below.mkdir(parents=True)
    assert find_ledger(below).project == ledger.project.resolve()


def test_without_a_run_the_remedy_is_told(tmp_path):
    with pytest.raises(NoRunError, match=r"no finished run was found.*run: kedro run"):
        find_ledger(tmp_path)
    with pytest.raises(NoRunError, match="run: kedro run"):
        find_run([], "last")


@pytest.fixture
def runs(ledger, add_run):
    add_run(1)
    add_run(2, pipelines=("frozen_encoder",))
    add_run(3, environment="books", test_set="other")
    add_run(14, pipelines=("ranking", "evaluation"))
    return ledger.runs()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("last", 14), ("previous", 2), (version(1), 1), ("linear", 3), ("__default__", 3),
        ("frozen_memory", 2), ("frozen_encoder", 2), ("books", 3), ("local", 14), ("2026-05-02", 2),
        ("05-14T", 14), ("ranking,evaluation", 14),
    ],
)  # fmt: skip
def test_a_run_is_found_by_what_it_is_called(runs, name, day):
    assert find_run(runs, name).version == version(day)


def test_a_name_of_many_or_of_none_is_told(runs):
    with pytest.raises(NoRunError, match=r"'2026' must name one run, but stands in 2026-05-14.*give more"):
        find_run(runs, "2026")
    with pytest.raises(
        NoRunError, match=r"no run is called 'nonsense'; there are last, previous, 2026-05-14"
    ):
        find_run(runs, "nonsense")


def test_a_run_before_the_last_must_have_its_test_documents(runs):
    with pytest.raises(NoRunError, match=r"no run before 2026-05-03.* has its test documents"):
        find_run(runs[1:], "previous")


def test_a_result_that_is_gone_is_named(add_run):
    run = add_run(1)
    (run.path("metrics") / "file").unlink()
    run.path("metrics").rmdir()
    with pytest.raises(NoRunError, match=r"the run 2026-05-01.* must have metrics, but .*metrics is gone"):
        run.path("metrics")
    with pytest.raises(NoRunError, match="must have report, but it left none"):
        run.path("report")


def test_the_size_of_a_run_is_that_of_its_versions(add_run):
    run = add_run(1)
    (run.results["corpus"] / "large").write_bytes(b"0" * 1000)
    assert run.size_bytes() == 3 * 5


def test_only_a_folder_named_by_a_version_is_one(tmp_path):
    assert version_folder(tmp_path / "corpus" / "03_primary" / "corpus") is None
    assert version_folder(tmp_path / "m" / version(1) / "m") == tmp_path / "m" / version(1)
    assert version_folder(tmp_path / "other" / version(1) / "m") is None
    assert not is_version(tmp_path / "2026")


def test_the_digest_of_a_test_set_changes_with_every_label():
    Y = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], np.float32))
    digest = digest_of_test_set(Y)
    assert digest == digest_of_test_set(Y.astype(np.float64))
    others = [Y[:, ::-1], Y[::-1], Y[:1], sp.csr_array((Y.data, Y.indices, Y.indptr), shape=(2, 4))]
    assert len({digest, *(digest_of_test_set(sp.csr_array(other)) for other in others)}) == 5


def test_parameters_become_plain():
    plain = plain_parameters({"clustering": ClusteringParams(branching=3), "ks": (1, 2), "seed": 0})
    assert plain["clustering"]["branching"] == 3
    assert plain["ks"] == [1, 2]
