"""Environments that a run writes."""

import logging

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io.core import DatasetError

from larix.datasets import EnvironmentDataset

BASE = {"search": {"beam_size": 20, "top_k": 10}, "char": {"longest": 5, "min_df": 2}, "seed": 0}


@pytest.fixture
def conf(tmp_path):
    """A configuration with a base and an environment of its own."""
    for name, files in {
        "base": {"globals": {"data": "data"}, "parameters": BASE},
        "mine": {
            "globals": {"data": "data/mine"},
            "parameters": {"search": {"beam_size": 30}, "char": {"longest": 4}},
            "catalog": {"corpus": {"type": "MemoryDataset"}},
        },
        "local": {},
    }.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / f"{file}.yml").write_text(yaml.safe_dump(content))
    return tmp_path


def loader(conf, env, **runtime):
    return OmegaConfigLoader(
        str(conf), env=env, base_env="base", default_run_env="local", runtime_params=runtime,
        merge_strategy={"parameters": "soft", "globals": "soft"},
    )  # fmt: skip


def write(conf, env, changes, name="tuned", **runtime):
    dataset = EnvironmentDataset(filepath=str(conf))
    dataset.start_from(loader(conf, env, **runtime), BASE)
    dataset.save({"name": name, "changes": changes, "told": "trial 3"})
    return dataset.load()


@pytest.mark.parametrize(("env", "name"), [("mine", "mine_tuned"), (None, "tuned"), ("local", "tuned")])
def test_it_is_called_after_the_environment_of_the_run(conf, env, name):
    folder = write(conf, env, {"search.beam_size": 7})
    assert folder == conf / name
    assert loader(conf, name)["globals"]["data"] == f"data/{name}"
    assert "kedro run --env=" + name in (folder / "parameters.yml").read_text()


def test_the_log_tells_how_to_run_in_it(conf, caplog):
    with caplog.at_level(logging.INFO, logger="larix"):
        write(conf, "mine", {})
    assert caplog.messages == [
        "environment 'mine_tuned' has the settings of trial 3; run: kedro run --env=mine_tuned"
    ]


def test_it_gives_the_parameters_of_the_run_with_the_changes(conf):
    write(conf, "mine", {"search.beam_size": 7, "search.post": "sigmoid"}, search={"top_k": 3})
    assert loader(conf, "mine_tuned")["parameters"] == {
        "search": {"beam_size": 7, "top_k": 3, "post": "sigmoid"},
        "char": {"longest": 4, "min_df": 2},
        "seed": 0,
    }


def test_its_groups_are_in_order(conf):
    folder = write(conf, None, {"seed": 1, "char.longest": 6, "alpha.rate": 2})
    assert list(yaml.safe_load((folder / "parameters.yml").read_text())) == ["alpha", "char", "seed"]


def test_it_says_only_what_differs_from_the_base(conf):
    folder = write(conf, None, {"search.beam_size": 20, "seed": 1})
    assert yaml.safe_load((folder / "parameters.yml").read_text()) == {"seed": 1}


def test_a_change_back_to_what_the_base_says_undoes_the_environments(conf):
    write(conf, "mine", {"char.longest": 5})
    assert loader(conf, "mine_tuned")["parameters"]["char"]["longest"] == 5


def test_a_mapping_is_merged_and_null_leaves_a_group_out(conf):
    write(conf, "mine", {"char": {"longest": 3}})
    assert loader(conf, "mine_tuned")["parameters"]["char"] == {"longest": 3, "min_df": 2}
    write(conf, "mine", {"char": None})
    assert loader(conf, "mine_tuned")["parameters"]["char"] is None


def test_catalog_entries_of_the_environment_come_along(conf):
    folder = write(conf, "mine", {})
    assert yaml.safe_load((folder / "catalog.yml").read_text()) == {"corpus": {"type": "MemoryDataset"}}


def test_the_number_of_rounds_goes_where_it_belongs(conf):
    write(conf, "mine", {"disentanglement_rounds": 2})
    assert loader(conf, "mine_tuned")["globals"]["disentanglement_rounds"] == 2
    assert "disentanglement_rounds" not in loader(conf, "mine_tuned")["parameters"]


def test_the_study_itself_is_left_out(conf):
    folder = write(conf, None, {}, tuning={"n_trials": 3})
    assert "tuning" not in (folder / "parameters.yml").read_text()


def test_an_environment_that_somebody_wrote_is_left_alone(conf):
    with pytest.raises(DatasetError, match=r"was not written by a run.*tuning\.environment=NAME"):
        write(conf, None, {"seed": 1}, name="mine")
    assert "tuned" not in (conf / "mine" / "parameters.yml").read_text()
    write(conf, None, {"seed": 1})
    write(conf, None, {"seed": 2})
    assert loader(conf, "tuned")["parameters"]["seed"] == 2


def test_it_is_written_by_a_run_alone(tmp_path):
    dataset = EnvironmentDataset(filepath=str(tmp_path))
    with pytest.raises(DatasetError, match="can be written by a run alone"):
        dataset.save({"name": "tuned", "changes": {}, "told": ""})
    with pytest.raises(DatasetError, match="no environment was written"):
        dataset.load()
    assert not dataset.exists()


def test_nothing_is_written_into_the_configuration_that_was_read(conf):
    given = loader(conf, "mine")
    parameters = {name: str(value) for name, value in given["parameters"].items()}
    dataset = EnvironmentDataset(filepath=str(conf))
    dataset.start_from(given, BASE)
    dataset.save({"name": "tuned", "changes": {"search.beam_size": 1}, "told": ""})
    assert {name: str(value) for name, value in given["parameters"].items()} == parameters
