"""Workers of Ray: they train as one, die and go on, tell what they do, and encode."""

import logging
import os
import signal
import threading
import time
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from larix.engines import EngineParams, make_engine
from larix.engines.ray_library import joined
from larix.xmc.progress import reporting
from larix.xmc.transformer import encoder as encoder_module
from larix.xmc.transformer.encoder import SentenceEncoder
from tests.tiny_encoder import save_tiny_encoder
from tests.xmc.transformer import two_workers

pytest.importorskip("ray", reason="the extra transformer is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # of ray and torch
TWO = EngineParams(num_workers=2, checkpoint_steps=10, timeout=60)


@pytest.fixture(scope="module", autouse=True)
def started():
    """Ray, which takes long to start, for all tests."""
    with joined(TWO):
        yield


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    return save_tiny_encoder(folder, hidden_dropout_prob=0, attention_probs_dropout_prob=0)


def train(encoder, params, folder, workers):
    """What a worker does: it leaves its number, and trains."""
    folder.mkdir(exist_ok=True)
    (folder / f"worker{workers.rank}").write_text(str(os.getpid()))
    return two_workers.results(encoder, params, workers, folder)


class Bars:
    """Remembers which bars were shown, and how far they went."""

    def __init__(self):
        self.totals, self.n_steps = {}, 0

    @contextmanager
    def __call__(self, description, total):
        self.totals[description] = total
        yield self.advance

    def advance(self, steps=1):
        self.n_steps += steps


def test_two_workers_train_as_one_and_tell_how_far_they_are(encoder, tmp_path, caplog):
    engine, bars = make_engine(TWO, tmp_path / "ray"), Bars()
    params = two_workers.TRAININGS["uneven"]
    with caplog.at_level(logging.INFO, logger="larix"), reporting(bars):
        together = engine.run(partial(train, encoder, params, tmp_path / "state"))
    alone = two_workers.results(encoder, params)
    for key, values in alone.items():
        np.testing.assert_allclose(together[key], values, atol=1e-4, err_msg=key)
    assert "fine-tuning on 8 clusters: step 6 of 6, loss" in caplog.text
    assert bars.totals["fine-tuning on 8 clusters"] == 6
    assert "started again" not in caplog.text


def kill_when(there, pid_file):
    """Kill a process as soon as a path is there."""

    def watch():
        while not there():
            time.sleep(0.02)
        os.kill(int(pid_file.read_text()), signal.SIGKILL)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_after_a_worker_was_killed_all_go_on_from_the_last_checkpoint(encoder, tmp_path, caplog):
    engine = make_engine(TWO, tmp_path / "ray")
    undisturbed = engine.run(partial(train, encoder, two_workers.LONG, tmp_path / "undisturbed"))
    state = tmp_path / "state"
    killer = kill_when(lambda: list(state.glob("*/level_1")), state / "worker1")
    with caplog.at_level(logging.INFO, logger="larix"):
        disturbed = engine.run(partial(train, encoder, two_workers.LONG, state))
    assert not killer.is_alive()
    assert "all workers have started again" in caplog.text
    assert "training goes on after step 40" in caplog.text  # the first level was done
    for key, values in undisturbed.items():
        np.testing.assert_array_equal(disturbed[key], values, err_msg=key)


def fail(workers):
    raise ValueError(f"worker {workers.rank} has no data")


def test_a_program_that_always_fails_is_told_why(tmp_path, caplog):
    engine = make_engine(EngineParams(num_workers=1, max_failures=1), tmp_path)
    with caplog.at_level(logging.INFO, logger="larix"), pytest.raises(RuntimeError, match="has no data"):
        engine.run(fail)
    assert "worker 0 failed: " in caplog.text
    assert "has no data" in caplog.text


def test_texts_encoded_by_workers_have_the_vectors_of_a_plain_loop(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(encoder_module, "_TEXTS_PER_PART", 7)
    texts = [*two_workers.TEXTS, two_workers.TEXTS[0]]
    plain = SentenceEncoder(encoder, max_tokens=12, n_threads=1).embed(texts)
    cached = SentenceEncoder(encoder, max_tokens=12, n_threads=1, cache_folder=tmp_path / "cache")
    engine = make_engine(TWO, tmp_path)
    engine.encode(cached, texts)
    monkeypatch.setattr(SentenceEncoder, "_vectors", None)  # all must come from the cache
    np.testing.assert_array_equal(cached.embed(texts), plain)
    monkeypatch.setattr("larix.engines.ray_encoding._blocks", None)
    engine.encode(cached, texts)  # nothing is left to do
