import os
import subprocess
import sys

import numpy as np
import pytest

from larix.xmc.persistence import load_folder
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.transformer.workers import Workers
from tests.conftest import REPOSITORY
from tests.tiny_encoder import save_tiny_encoder
from tests.xmc.transformer import two_workers

pytest.importorskip("torch", reason="the extra transformer is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which two processes have trained together, without dropout."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "encoder").mkdir()
    save_tiny_encoder(folder / "encoder", hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", two_workers.__name__, str(rank), str(folder)],
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    try:
        assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
    return folder


@pytest.mark.parametrize("name", two_workers.TRAININGS)
def test_two_workers_train_as_one(folder, name):
    alone = two_workers.results(folder / "encoder", two_workers.TRAININGS[name])
    together = np.load(folder / f"{name}0.npz")
    assert alone["losses"].shape == (2, 6)
    for key, values in alone.items():
        np.testing.assert_allclose(together[key], values, atol=1e-4, err_msg=key)
    before = two_workers.SentenceEncoder(folder / "encoder", max_tokens=12).embed(two_workers.TEXTS)
    assert np.abs(alone["E"] - before).max() > 0.05


@pytest.mark.parametrize("name", two_workers.TRAININGS)
def test_both_end_with_the_same_bits(folder, name):
    first, second = (np.load(folder / f"{name}{rank}.npz") for rank in range(2))
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)


def test_they_share_the_files_of_token_ids(folder):
    kept = [load_folder(path) for path in (folder / "cache").glob("*/*")]
    (tokens,) = [TokenIds.load(one.path) for one in kept if one.kind == "TokenIds"]
    assert len(tokens) == len(two_workers.TEXTS)


def test_what_the_first_makes_is_there_when_the_others_begin():
    happened = []

    class Told(Workers):
        def total(self, value):
            happened.append(f"{self.rank} waits")
            return value

    for rank in range(2):
        worker = Told()
        worker.rank = rank
        with worker.first_goes_ahead():
            happened.append(f"{rank} works")
    assert happened == ["0 works", "0 waits", "1 waits", "1 works"]


def test_the_first_writes_checkpoints(folder):
    (training,) = (folder / "uneven").iterdir()
    assert sorted(path.name for path in training.iterdir()) == ["level_0", "level_1"]


def test_one_that_does_not_see_the_checkpoints_is_refused(folder):
    expected = ("worker 0 found 6 steps", "worker 1 found 0 steps")
    for rank, words in enumerate(expected):
        message = (folder / f"refusal{rank}.txt").read_text()
        assert "all workers must see the same checkpoint" in message
        assert words in message
