"""Options, turns, and what happens when somebody cannot take part."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks import corpora, environments, run
from benchmarks.competitors import RIVALS
from benchmarks.environments import CannotTakePart, cache_folder, installed_version, python_of
from benchmarks.matrices import Matrices, read_description, read_part


def test_unknown_names_are_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        run._parser().parse_args(["--corpora", "icd,syn-q"])
    assert "'syn-q' is none of icd, tibkat, syn-xs" in capsys.readouterr().err


def test_everybody_comes_first_once():
    assert [run._rotated(["a", "b", "c"], n) for n in (1, 2, 3, 4)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"],
    ]  # fmt: skip


def test_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("LARIX_BENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LARIX_BENCH_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "larix-bench"


def test_rival_that_cannot_be_installed_is_told_with_pips_last_line(monkeypatch, tmp_path):
    monkeypatch.setenv("LARIX_BENCH_CACHE", str(tmp_path))
    failing = [sys.executable, "-c", "raise SystemExit('no matching distribution')"]
    monkeypatch.setattr(environments, "_call", lambda _, rival, call=environments._call: call(failing, rival))
    with pytest.raises(CannotTakePart, match=r"omikuji 0.5.2 can't be installed: no matching distribution"):
        python_of(replace(RIVALS["omikuji"]))


def test_version_is_asked_of_the_interpreter(tmp_path):
    assert installed_version(Path(sys.executable), "numpy") == np.__version__
    assert installed_version(Path(sys.executable), "no-such-distribution") is None
    assert installed_version(tmp_path / "python", "numpy") is None


def test_corpus_without_files_cannot_take_part(monkeypatch, tmp_path):
    monkeypatch.setenv("LARIX_BENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("LARIX_DATA", raising=False)
    with pytest.raises(CannotTakePart, match="LARIX_DATA"):
        corpora.matrices_folder("tibkat")


def test_matrices_are_made_once_and_again_when_parameters_change(monkeypatch, tmp_path):
    monkeypatch.setenv("LARIX_BENCH_CACHE", str(tmp_path))
    small = replace(corpora.SIZES["syn-xs"], n_train=50, n_test=20, n_labels=10, n_words=500)
    monkeypatch.setitem(corpora.SIZES, "syn-xs", small)
    folder = corpora.matrices_folder("syn-xs")
    written = (folder / "X_train.npz").stat().st_mtime_ns
    assert corpora.matrices_folder("syn-xs") == folder
    assert (folder / "X_train.npz").stat().st_mtime_ns == written
    monkeypatch.setitem(corpora.SIZES, "syn-xs", replace(small, n_train=60))
    corpora.matrices_folder("syn-xs")
    assert read_part(folder, "train")[0].shape[0] == read_description(folder)["n_train"] > 50


def test_unseen_labels_and_documents_without_any_are_dropped():
    X = csr_array(np.array([[1, 0], [0, 0], [0, 2]], np.float32))
    Y_train = csr_array(np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32))
    Y_test = csr_array(np.array([[0, 1, 0], [0, 0, 1], [0, 1, 1]], np.float32))
    made = Matrices(X, Y_train, X, Y_test).without_unseen_labels()
    assert made.Y_train.toarray().tolist() == [[1, 0], [1, 0], [0, 1]]
    assert made.X_train.toarray().tolist() == [[1, 0], [0, 0], [0, 2]]
    assert made.Y_test.toarray().tolist() == [[0, 1], [0, 1]]
    assert made.X_test.toarray().tolist() == [[0, 0], [0, 2]]
