from pathlib import Path

from click.testing import CliRunner

import larix
from larix.cli import main

GOLDEN = Path(__file__).parents[1] / "data" / "libpecos"


def test_a_model_goes_in_and_out_again(tmp_path):
    run = CliRunner().invoke(main, ["import-pecos", str(GOLDEN / "model"), str(tmp_path / "larix")])
    assert run.exit_code == 0, run.output
    assert "3 levels, 16 clusters, 54 labels, 60 features" in run.output
    assert larix.load(tmp_path / "larix").tree_.n_labels == 54
    run = CliRunner().invoke(main, ["export-pecos", str(tmp_path / "larix"), str(tmp_path / "pecos")])
    assert run.exit_code == 0, run.output
    assert (tmp_path / "pecos" / "ranker" / "2.model" / "W.npz").is_file()


def test_a_folder_that_is_no_model_is_an_error_of_one_line(tmp_path):
    run = CliRunner().invoke(main, ["import-pecos", str(tmp_path), str(tmp_path / "larix")])
    assert run.exit_code == 2
    assert run.output.count("\n") == 1
    assert "ranker/param.json" in run.output
