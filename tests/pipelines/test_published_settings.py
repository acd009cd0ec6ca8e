"""Published settings of XR-Transformer: their parameters, the levels of their trees, the files they read."""

import gzip
import itertools
import json
import operator

import pytest
from kedro.config import OmegaConfigLoader

from larix.corpora import CorpusParams, read_corpus
from larix.parameter_check import check_parameters, known_parameters
from larix.pipeline_registry import register_pipelines
from larix.pipelines.encoder_tuning.nodes import EncoderTuningParams
from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.memory import EmbeddingMemoryParams
from larix.pipelines.refinement.params import RefinementParams
from larix.pipelines.vectorization.embedding import EmbeddingParams
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.settings import CONFIG_LOADER_ARGS
from larix.xmc.beam_search import SearchParams
from larix.xmc.bisection import fan_outs
from tests.conftest import REPOSITORY

N_LABELS = {
    "eurlex_4k": 3956,
    "wiki10_31k": 30938,
    "amazoncat_13k": 13330,
    "wiki_500k": 501070,
    "amazon_670k": 670091,
    "amazon_3m": 2812281,
}
STAGES = {
    "vectorization": VectorizationParams,
    "embedding": EmbeddingParams,
    "encoder_tuning": EncoderTuningParams,
    "label_indexing": LabelIndexingParams,
    "matcher_training": MatcherTrainingParams,
    "ranking": RankingParams,
    "search": SearchParams,
    "refinement": RefinementParams,
    "embedding_memory": EmbeddingMemoryParams,
}
each = pytest.mark.parametrize("name", N_LABELS)


def loader(name):
    return OmegaConfigLoader(str(REPOSITORY / "conf"), env=name, **CONFIG_LOADER_ARGS)


@pytest.fixture(scope="module")
def known():
    return known_parameters([node for pipeline in register_pipelines().values() for node in pipeline.nodes])


@each
def test_every_parameter_is_known_and_valid(name, known):
    parameters = loader(name)["parameters"]
    check_parameters(parameters, known)
    for stage, kind in STAGES.items():
        kind(**parameters[stage])
    assert not parameters["embedding"]["encoder"]["download"]
    assert loader(name)["globals"]["disentanglement_rounds"] == 0


@each
def test_lists_have_a_value_for_every_level_of_the_trees(name):
    parameters = loader(name)["parameters"]
    tuning = EncoderTuningParams(**parameters["encoder_tuning"])
    above = itertools.accumulate(fan_outs(N_LABELS[name], tuning.clustering), operator.mul)
    sizes = [*above, N_LABELS[name]]
    assert len(tuning.training) == sum(size <= tuning.max_clusters for size in sizes)
    indexing = LabelIndexingParams(**parameters["label_indexing"])
    n_levels = len(fan_outs(N_LABELS[name], indexing.clustering)) + 1
    assert len(parameters["search"]["post_processor"]) == n_levels


@each
def test_its_files_are_read(name, tmp_path):
    (tmp_path / name).mkdir()
    params = loader(name)["parameters"]["ingestion"]
    for part, file in params["files"].items():
        write = _write_json if params["format"] == "jsonl" else _write_pasted
        write(tmp_path / file, part)
    corpus = read_corpus(CorpusParams(**params, folder=str(tmp_path)))
    assert [text.split() for text in corpus.train.texts] == [
        ["title", "of", "train", "its", "text"],
        ["another"],
    ]
    assert [corpus.label_ids[label] for label in corpus.train.labels[[0]].indices] == ["7", "12"]
    assert len(corpus.test) == 2


def _write_json(path, part):
    records = [
        {"uid": f"{part}0", "title": f"title of {part}", "content": "its text", "target_ind": [7, 12]},
        {"uid": f"{part}1", "title": "another", "content": "", "target_ind": [12]},
    ]
    path.write_bytes(gzip.compress("\n".join(json.dumps(record) for record in records).encode()))


def _write_pasted(path, part):
    path.write_text(f"labels\ttext\n7 12\ttitle of {part} its text\n12\tanother\n")
