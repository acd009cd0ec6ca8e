from functools import partial
from pathlib import Path

import pytest
import yaml

from larix.engines import EngineParams, LocalEngine
from larix.parameter_check import ParameterError, check_parameters, known_parameters
from larix.pipeline_registry import register_pipelines
from larix.pipelines.engine_choice import Engines
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.workers import ONE_WORKER
from tests.conftest import REPOSITORY


def configured() -> Engines:
    text = (REPOSITORY / "conf" / "base" / "parameters_engine.yml").read_text(encoding="utf-8")
    return Engines(**yaml.safe_load(text)["engines"])


def test_three_presets_are_configured(tmp_path):
    engines = configured()
    assert isinstance(engines.chosen("local", tmp_path).start(), LocalEngine)
    gpu, cluster = engines.chosen("gpu", tmp_path).params, engines.chosen("cluster", tmp_path).params
    assert (gpu.num_workers, gpu.use_gpu, gpu.address) == (1, True, "local")
    assert (cluster.use_gpu, cluster.address) == (True, "auto")


def test_checkpoints_lie_with_the_run_or_where_the_preset_says(tmp_path):
    engines = Engines(cluster={"num_workers": 2, "storage_path": "/shared/tuning"})
    assert engines.chosen("gpu", tmp_path).checkpoint_folder == tmp_path
    assert engines.chosen("cluster", tmp_path).checkpoint_folder == Path("/shared/tuning")


def test_the_precision_is_that_of_the_preset_or_of_the_encoder(tmp_path):
    encoder, engines = EncoderParams("model"), Engines(local=EngineParams(), gpu={"precision": "bfloat16"})
    assert engines.chosen("local", tmp_path).adapt(encoder) == encoder
    assert engines.chosen("gpu", tmp_path).adapt(encoder).precision == "bfloat16"


def test_a_fine_tuning_is_told_what_the_preset_and_the_run_say(encoder_folder, tmp_path):
    def tune(encoder, *, texts, **given):
        return (encoder.precision, encoder.cache_folder, encoder.n_threads), texts, given

    engines = Engines(local={"precision": "bfloat16", "checkpoint_steps": 7})
    of_encoder, texts, given = engines.chosen("local", tmp_path).fine_tune(
        EncoderParams(str(encoder_folder)), partial(tune, texts=["a", "b"]),
        cache_folder=tmp_path / "cache", random_state=3, n_threads=1,
    )  # fmt: skip
    assert of_encoder == ("bfloat16", tmp_path / "cache", 1)
    assert texts == ["a", "b"]
    expected = {"checkpoint_folder": tmp_path, "checkpoint_steps": 7, "random_state": 3, "n_threads": 1}
    assert given == {**expected, "workers": ONE_WORKER}


def test_a_key_that_a_preset_lacks_is_refused():
    with pytest.raises(TypeError, match="gpu has no key 'num_worker'; did you mean 'num_workers'"):
        Engines(gpu={"num_worker": 2})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine": "gpus"}, "'engine' must be 'local' or 'gpu' or 'cluster', but is 'gpus'"),
        ({"engines": {"gpu": {"num_workers": "two"}}}, "'engines.gpu.num_workers' must be an integer"),
        ({"engines": {"gpu": {"workers": 2}}}, "no stage reads the parameter 'engines.gpu.workers'"),
        ({"engines": {"gpus": {}}}, "no stage reads the parameter 'engines.gpus'"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told_before_anything_runs(given, message):
    pipelines = register_pipelines()
    known = known_parameters([node for pipeline in pipelines.values() for node in pipeline.nodes])
    check_parameters({"engine": "gpu", "engines": {"gpu": {"num_workers": 2}}}, known)
    with pytest.raises(ParameterError, match=message):
        check_parameters(given, known, given=given)
