"""Labels that people rejected, from a column of a file to the weights."""

import json

import pytest

from larix.pipelines.rejected_labels import rejected_labels
from larix.xmc.persistence import load_folder
from tests.conftest import Project, tiny_documents

OPTIONS = {"ingestion": {"columns": {"rejected": "wrong"}}, "ranking": {"negatives": "tfn+usn"}}


@pytest.fixture
def corrected(project) -> Project:
    """The project's corpus with a column that rejects hearts for bones."""
    documents = [
        {**document, "wrong": ["heart"] if "bone" in document["labels"] else []}
        for document in tiny_documents()
    ]
    lines = [json.dumps(document) for document in documents]
    (project.folder / "tiny.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return project


def weights(project: Project) -> bytes:
    return load_folder(project.path("06_models/ranker")).arrays["weights"].tobytes()


def test_rejected_labels_reach_the_weights_of_all_stages(corrected):
    corrected.run()
    without = weights(corrected)
    corrected.run(params=OPTIONS)
    assert load_folder(corrected.path("05_model_input/train_rejected")).arrays["indices"].size > 0
    assert weights(corrected) != without


def test_a_corpus_without_rejected_labels_is_told_how_to_give_them(project):
    with pytest.raises(ValueError, match=r"has none; name their column in ingestion\.columns\.rejected"):
        project.run(params={"ranking": {"negatives": "tfn+usn"}})


def test_levels_that_do_not_ask_get_none():
    assert rejected_labels(None, ["tfn", "man"]) is None
    assert rejected_labels(None, "tfn+man") is None
