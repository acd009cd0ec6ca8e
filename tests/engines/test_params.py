import sys

import pytest

from larix.engines import EngineParams, LocalEngine, make_engine
from larix.engines.ray_library import _connect, check_resources
from larix.xmc.transformer.workers import ONE_WORKER


def test_without_workers_a_program_runs_here_and_needs_no_ray(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    engine = make_engine(EngineParams(), tmp_path)
    assert isinstance(engine, LocalEngine)
    assert engine.run(lambda workers: workers is ONE_WORKER)


def test_threads_of_a_worker_are_its_processors():
    assert EngineParams().threads(None) is None
    assert EngineParams().threads(3) == 3
    assert EngineParams(num_workers=2, cpus_per_worker=4).threads(3) == 4


def test_a_missing_ray_is_told_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs ray.*; run: pip install 'larix\[transformer\]'"):
        make_engine(EngineParams(num_workers=1), tmp_path)


def test_where_no_cluster_runs_is_told_in_words_of_the_parameters():
    class NoCluster:
        @staticmethod
        def init(**_):
            raise ConnectionError("Could not find any running Ray instance")

    with pytest.raises(ConnectionError, match=r"none was found at address 'auto'; start one \(ray"):
        _connect(NoCluster, "auto", {})


def test_what_a_machine_lacks_for_workers_is_told():
    params = EngineParams(num_workers=2, cpus_per_worker=4, use_gpu=True)
    check_resources(params, {"CPU": 8.0, "GPU": 2.0})
    with pytest.raises(ValueError, match="2 workers ask for 8 CPUs, but this machine has 6; lower num_w"):
        check_resources(params, {"CPU": 6.0, "GPU": 2.0})
    with pytest.raises(ValueError, match=r"ask for 2 GPUs, but this machine has 0; .* use_gpu to false"):
        check_resources(params, {"CPU": 8.0})
    check_resources(EngineParams(num_workers=2), {"CPU": 2.0})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_workers": -1}, "num_workers must not be negative, but is -1"),
        ({"cpus_per_worker": 0}, "cpus_per_worker must be at least 1, but is 0"),
        ({"checkpoint_steps": 0}, "checkpoint_steps must be at least 1, but is 0"),
        ({"max_failures": -2}, "max_failures must be at least -1, but is -2"),
        ({"timeout": 0}, "timeout must be positive, but is 0"),
        ({"precision": "float16"}, "precision must be one of float32, bfloat16, but is 'float16'"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        EngineParams(**params)
