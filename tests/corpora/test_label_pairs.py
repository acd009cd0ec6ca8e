import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from larix.corpora import (
    Corpus,
    CorpusParams,
    CorpusPart,
    LabelPairParams,
    corpus_from_texts,
    pair_labels,
    read_corpus,
)

ROWS = [
    {"text": "red fox", "labels": ["a", "b"], "relevance": [1, 0.5]},
    {"text": "blue sky", "labels": ["b"], "relevance": [2]},
    {"text": "green sea", "labels": ["c"], "relevance": [1]},
    {"text": "grey", "labels": [], "relevance": []},
]


def by_document(part: CorpusPart, names: list[str], matrix) -> list[set[str]]:
    return [{names[column] for column in matrix[[row]].indices} for row in range(len(part))]


@st.composite
def corpora(draw) -> Corpus:
    """Draw a corpus of a few labels."""
    labels = st.lists(st.sampled_from("abcdefg"), unique=True, max_size=4)
    train = draw(st.lists(labels, min_size=1, max_size=8))
    test = draw(st.lists(labels, max_size=4))
    texts = [f"text {number}" for number in range(len(train) + len(test))]
    return corpus_from_texts(texts[: len(train)], train, texts[len(train) :], test)


@given(corpora(), st.floats(0.1, 1), st.integers(0, 99))
def test_the_senses_are_the_labels_before_and_labels_follow_from_them(corpus, share, seed):
    paired = pair_labels(corpus, LabelPairParams(share, seed))
    before = paired.sense_table["id"].to_pylist()
    assert sorted(before) == sorted(corpus.label_ids)
    for old, new in ((corpus.train, paired.train), (corpus.test, paired.test)):
        assert new.texts == old.texts
        true = by_document(old, corpus.label_ids, old.labels)
        assert by_document(new, before, new.senses) == true
        pair_of = {
            label: paired.label_ids[owner] for label, owner in zip(before, paired.sense_labels, strict=True)
        }
        found = by_document(new, paired.label_ids, new.labels)
        assert found == [{pair_of[label] for label in labels} for labels in true]


@given(corpora(), st.floats(0.1, 1), st.integers(0, 99))
def test_pairs_are_of_two_labels_with_training_documents(corpus, share, seed):
    paired = pair_labels(corpus, LabelPairParams(share, seed))
    sizes = np.bincount(paired.sense_labels)
    n_seen = len(np.unique(corpus.train.labels.indices))
    assert (sizes == 2).sum() == int(share * n_seen) // 2
    assert sizes.max(initial=1) <= 2
    halves = np.flatnonzero(sizes[paired.sense_labels] == 2)
    assert np.isin(halves, paired.train.senses.indices).all()


def test_a_pair_is_named_by_both_and_stands_where_the_first_stood():
    corpus = corpus_from_texts(
        ["x", "y"], [["a"], ["b", "c"]], label_names={"a": "Ape", "b": "Bee", "c": "Cat"}
    )
    seeds = {tuple(pair_labels(corpus, LabelPairParams(random_state=seed)).label_ids) for seed in range(20)}
    assert seeds == {("a / b", "c"), ("a / c", "b"), ("a", "b / c")}
    paired = pair_labels(corpus, LabelPairParams())
    assert {
        name.replace("Ape", "a").replace("Bee", "b").replace("Cat", "c") for name in paired.label_names
    } == set(paired.label_ids)
    assert paired.name == "corpus, labels in pairs"


def test_a_pair_has_the_higher_relevance_of_the_two(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[:2]))
    params = {
        "format": "jsonl",
        "folder": str(tmp_path),
        "files": {"train": "rows.jsonl"},
        "columns": {"relevance": "relevance"},
        "split": {"test_fraction": 0.0},
    }
    paired = read_corpus(CorpusParams(**params, pair_labels={"share": 1.0}))
    assert paired.label_ids == ["a / b"]
    assert paired.train.labels.toarray().tolist() == [[1.0], [2.0]]
    assert paired.train.senses.toarray().tolist() == [[1, 1], [0, 1]]


def test_features_stay_as_they_are():
    features = sp.csr_array(np.eye(2, dtype=np.float32))
    part = CorpusPart.from_columns(ids=["0", "1"], labels=features, features=features)
    plain = corpus_from_texts(["x", "y"], [["0"], ["1"]])
    paired = pair_labels(Corpus("rows", part, part, plain.label_table), LabelPairParams())
    assert paired.train.features.toarray().tolist() == [[1, 0], [0, 1]]
    assert paired.train.labels.toarray().tolist() == [[1], [1]]


def test_without_the_parameter_the_saved_corpus_has_no_senses(tmp_path):
    corpus = corpus_from_texts(["x"], [["a"]])
    corpus.save(tmp_path / "plain")
    assert sorted(file.name for file in (tmp_path / "plain").iterdir()) == [
        "labels.parquet", "model.json", "test.parquet", "train.parquet"
    ]  # fmt: skip
    assert Corpus.load(tmp_path / "plain").train.senses is None
    assert "n_senses" not in corpus.summary()
    pair_labels(corpus, LabelPairParams()).save(tmp_path / "paired")
    assert Corpus.load(tmp_path / "paired").sense_labels.tolist() == [0]


def test_known_senses_are_not_merged():
    paired = pair_labels(corpus_from_texts(["x"], [["a", "b"]]), LabelPairParams())
    with pytest.raises(ValueError, match="labels are paired where no senses are known"):
        pair_labels(paired, LabelPairParams())


@pytest.mark.parametrize("share", [0, 1.5])
def test_a_share_lies_above_0_up_to_1(share):
    with pytest.raises(ValueError, match=r"pair_labels\.share must lie in \(0, 1\]"):
        CorpusParams(pair_labels={"share": share})


def test_an_unknown_key_is_refused_with_the_nearest_one():
    with pytest.raises(TypeError, match="pair_labels has no key 'shre'; did you mean 'share'"):
        CorpusParams(pair_labels={"shre": 1})
