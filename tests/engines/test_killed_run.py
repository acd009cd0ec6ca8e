"""A run that is killed while an encoder is fine-tuned goes on from the last checkpoint."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import new_project
from tests.tiny_encoder import save_tiny_encoder

pytestmark = pytest.mark.slow
ENGINES = {"local": "engines.local.checkpoint_steps=10", "gpu": "engines.gpu.checkpoint_steps=10"}
WITHOUT_CARD = "engines.gpu.use_gpu=false,engines.gpu.cpus_per_worker=1,engines.gpu.precision=float32"


def command(encoder, engine):
    """The words of a run that fine-tunes on two levels of clusters."""
    settings = {
        "n_threads": 1,
        "embedding.encoder.folder": encoder,
        "embedding.encoder.package": "null",
        "encoder_tuning.clustering.branching": 2,
        "encoder_tuning.clustering.max_leaf_size": 4,
        "encoder_tuning.training.steps": 40,
        "encoder_tuning.training.batch_size": 8,
        "encoder_tuning.joint": "false",
        "engine": engine,
    }
    given = [*(f"{name}={value}" for name, value in settings.items()), ENGINES[engine], WITHOUT_CARD]
    run = [sys.executable, "-m", "kedro", "run", "--env=tiny", "--pipelines=xr_transformer"]
    return [*run, f"--params={','.join(given)}"]


def environment(project):
    return {**os.environ, "LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}


def run(project, words):
    finished = subprocess.run(
        words, cwd=project.folder, env=environment(project), capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def run_until_checkpoint(project, words):
    """Kill the run as soon as there is a checkpoint of the second level."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, cwd=project.folder, env=environment(project), **silent)
    try:
        while not list(project.path("06_models/tuning_checkpoints").glob("*/level_1")):
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, encoder):
    """A project after a whole run in this process."""
    project = new_project(tmp_path_factory.mktemp("undisturbed"))
    run(project, command(encoder, "local"))
    return project


def results(project):
    (metrics,) = project.path("08_reporting").glob("metrics.json/*/metrics.json")
    weights = next(project.path("06_models/tuned_encoder").glob("*.safetensors"))
    losses = project.path("08_reporting/tuning_losses.json").read_text()
    return json.loads(metrics.read_text()), json.loads(losses), weights.read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_it_ends_as_an_undisturbed_one(project, undisturbed, encoder, engine):
    if engine == "gpu":
        pytest.importorskip("ray", reason="the extra transformer is not installed")
    words = command(encoder, engine)
    run_until_checkpoint(project, words)
    assert not project.path("06_models/tuned_encoder").exists()
    printed = run(project, words)
    assert "training goes on after step" in printed
    assert not re.search(r"Warning:|pid=", printed), printed
    assert results(project) == results(undisturbed)
