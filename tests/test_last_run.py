"""The record of the last run."""

import pytest

from larix.last_run import NoRunError, find_last_run, record_run


def test_the_last_run_is_found_from_a_folder_below_the_project(tmp_path):
    metrics = tmp_path / "data" / "metrics.json"
    metrics.parent.mkdir()
    metrics.write_text('{"P@1": 1}')
    record_run(tmp_path, "local", {"metrics": metrics})
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    run = find_last_run(start=below)
    assert run.path("metrics") == metrics
    assert run.read_json("metrics") == {"P@1": 1}
    assert run.command == "kedro run"


def test_every_environment_keeps_its_own_last_run(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).touch()
        record_run(tmp_path, name, {"metrics": tmp_path / name})
    assert find_last_run(start=tmp_path).environment == "two"
    assert find_last_run("one", start=tmp_path).path("metrics").name == "one"
    assert find_last_run("one", start=tmp_path).command == "kedro run --env=one"


def test_a_project_that_was_moved_keeps_its_runs(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "metrics.json").write_text("{}")
    record_run(tmp_path / "old", "local", {"metrics": tmp_path / "old" / "metrics.json"})
    (tmp_path / "old").rename(tmp_path / "new")
    assert find_last_run(start=tmp_path / "new").read_json("metrics") == {}


@pytest.mark.parametrize("content", [None, "", "{", "[1]", '{"environment": "local"}'])
def test_without_a_finished_run_the_remedy_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "last_run.json").write_text(content)
    with pytest.raises(NoRunError, match=r"no finished run was found.*run: kedro run"):
        find_last_run(start=tmp_path)


def test_a_result_that_is_gone_is_named(tmp_path):
    record_run(tmp_path, "mine", {"metrics": tmp_path / "gone.json"})
    run = find_last_run(start=tmp_path)
    with pytest.raises(NoRunError, match=r"gone\.json is gone; run: kedro run --env=mine"):
        run.path("metrics")
    with pytest.raises(NoRunError, match="must have a classifier, but it left none"):
        run.path("classifier")
