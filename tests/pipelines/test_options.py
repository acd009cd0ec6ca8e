"""Options reach the artefact that they are to change, from parameters through the pipeline."""

import numpy as np
import pytest

import larix
from larix.xmc.persistence import load_folder
from tests.conftest import TOPICS, Project

SLOW = pytest.mark.slow


def content(project: Project, artefact: str) -> list[bytes]:
    find = project.newest if artefact == PREDICTIONS else project.path
    arrays = load_folder(find(artefact)).arrays
    return [arrays[name].tobytes() for name in sorted(arrays)]


def indexing(**groups):
    return {"label_indexing": groups}


def represented(method, **more):
    return indexing(representation={"method": method, **more})


REPRESENTATION, TREE = "05_model_input/label_representation", "06_models/label_tree"
MATCHER, RANKER, PREDICTIONS = "06_models/matcher", "06_models/ranker", "07_model_output/predictions"
NORMS = {"mode": "induced", "norm": "l2"}

OPTIONS = {
    "pii": (represented("pii"), REPRESENTATION),
    "graph spectrum": (represented("graph_spectrum", n_components=3), REPRESENTATION),
    "instances of equal weight": (represented("pifa", instance_weights="equal"), REPRESENTATION),
    "features of equal weight": (represented("pifa", feature_weights="equal"), REPRESENTATION),
    "label text": (represented("label_text"), REPRESENTATION),
    "text of its own": (
        indexing(representation={"method": "label_text"}, label_text={"source": "own_features"}),
        REPRESENTATION,
    ),
    "joined": (represented("pifa_lf_concat"), REPRESENTATION),
    "combined": (represented("pifa_lf_convex_combine", text_weight=0.2), REPRESENTATION),
    "combined by support": (represented("pifa_lf_convex_combine", text_support=2.0), REPRESENTATION),
    "branching": (indexing(clustering={"branching": 4}), TREE),
    "one level": (indexing(clustering={"max_leaf_size": 100}), TREE),
    "slack": (indexing(clustering={"size_slack": 2.0}), TREE),
    "neighbours": (indexing(clustering={"family": "neighbors"}), TREE),
    "sampled": (indexing(clustering={"sampling": {"min_rate": 0.1, "max_rate": 0.2}}), TREE),
    "a solver": ({"matcher_training": {"solver": {"loss": "logistic"}}}, MATCHER),
    "a cost a level": ({"matcher_training": {"solver": {"Cp": [2.0, 4.0, 8.0]}}}, MATCHER),
    "negatives a level": ({"matcher_training": {"negatives": ["tfn", "man", "tfn+man"]}}, MATCHER),
    "induced relevance": ({"matcher_training": {"relevance": NORMS}}, MATCHER),
    "primal": ({"ranking": {"solver": {"loss": "squared-hinge-primal"}}}, RANKER),
    "few weights": ({"ranking": {"solver": {"max_nonzeros": 5}}}, RANKER),
    "matcher-aware": ({"ranking": {"negatives": "man"}}, RANKER),
    "relevance in ranking": ({"ranking": {"relevance": {"mode": "ranker-only"}}}, RANKER),
    "a post-processor a level": (
        {"search": {"post_processor": ["sigmoid", "l1-hinge", "l2-hinge", "l4-hinge"]}}, PREDICTIONS,
    ),
    "several trees": ({"ensemble": {"members": [{"random_state": 3}], "rule": "rank_average"}}, PREDICTIONS),
}  # fmt: skip
QUICK = {"combined by support", "a cost a level", "a post-processor a level"}


@pytest.mark.parametrize(
    ("params", "artefact"),
    [pytest.param(*option, id=name, marks=() if name in QUICK else SLOW) for name, option in OPTIONS.items()],
)
def test_an_option_changes_its_artefact_and_the_classifier_still_works(run_project, params, artefact):
    before = content(run_project, artefact)
    run_project.run(params=params, only_missing_outputs=True)
    assert content(run_project, artefact) != before
    assert_it_knows_the_topics(run_project)


@SLOW
def test_word_vectors_of_a_folder_place_labels(run_project):
    lines = [f"{word} {number % 2} 1" for number, word in enumerate(TOPICS)]
    (run_project.folder / "words.vec").write_text("\n".join([f"{len(lines)} 2", *lines, ""]))
    text = {"source": "word_vectors", "folder": str(run_project.folder / "words.vec")}
    params = indexing(representation={"method": "label_text"}, label_text=text)
    run_project.run(params=params, only_missing_outputs=True)
    Z = np.asarray(load_folder(run_project.path(REPRESENTATION)).arrays["rows"])
    assert Z.shape == (20, 2)
    assert_it_knows_the_topics(run_project)


def assert_it_knows_the_topics(project: Project) -> None:
    classifier = larix.load(project.path("06_models/classifier"))
    for topic, (text, *_) in TOPICS.items():
        assert classifier.suggest([text], top_k=1)[0][0].label == topic
