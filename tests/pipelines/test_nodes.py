"""What nodes do beside calling: the few decisions they take."""

import numpy as np
import pytest
import scipy.sparse as sp

from larix.corpora import corpus_from_texts
from larix.corpora.corpus import Corpus, CorpusPart
from larix.pipelines.label_indexing.nodes import (
    LabelIndexingParams,
    assess_tree,
    embed_texts,
    grow_tree,
    represent,
)
from larix.pipelines.ranking.nodes import RankingParams, score_train_clusters
from larix.pipelines.reporting.findings import Findings
from larix.pipelines.reporting.nodes import ReportingParams, examine, explain_examples
from larix.pipelines.vectorization.nodes import (
    VectorizationParams,
    extract_labels,
    fit_features,
    vectorize_test,
)
from larix.serving.given_features import GivenFeatures
from larix.serving.suggester import Suggester
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.text_features import TextFeatures
from larix.xmc.xr_linear import XRLinear

TEXTS = corpus_from_texts(
    ["red fox", "blue sky", "grey fox"], [["animal"], ["air"], ["animal"]], ["a fox"], [["animal", "wild"]]
)


def corpus_of_features() -> Corpus:
    X = sp.csr_array(np.array([[3.0, 4.0], [0.0, 2.0]], np.float32))
    labels = sp.csr_array(np.eye(2, dtype=np.float32))
    part = CorpusPart.from_columns(ids=["a", "b"], labels=labels, features=X)
    return Corpus("rows", part, part, corpus_from_texts(["x"], [["0", "1"]], [], []).label_table)


def test_texts_get_features_of_the_training_texts():
    features, train = fit_features(TEXTS, VectorizationParams(char=None), None)
    assert isinstance(features, TextFeatures)
    assert train.shape == (3, features.n_features_)
    assert vectorize_test(features, TEXTS).shape == (1, features.n_features_)


def test_given_features_are_taken_as_they_are_or_normalised():
    corpus = corpus_of_features()
    features, train = fit_features(corpus, VectorizationParams(normalize_given=False), None)
    assert isinstance(features, GivenFeatures)
    np.testing.assert_array_equal(train.toarray(), corpus.train.features.toarray())
    features, train = fit_features(corpus, VectorizationParams(normalize_given=True), None)
    np.testing.assert_allclose(vectorize_test(features, corpus).toarray(), train.toarray())
    np.testing.assert_allclose(train.toarray()[0], [0.6, 0.8], rtol=1e-6)


def grown_tree(X, train_labels):
    params = LabelIndexingParams()
    texts = embed_texts(TEXTS, None, params, None)
    Z = represent(X, train_labels, texts, params, 0, None)
    return grow_tree(Z, train_labels, params, 0, None)


def test_labels_unseen_in_training_get_no_slot():
    train_labels, test_labels = extract_labels(TEXTS)
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    tree = grown_tree(X, train_labels)
    assert TEXTS.label_ids == ["air", "animal", "wild"]
    assert sorted(tree.slot_label) == [0, 1]
    assert tree.n_labels == train_labels.shape[1] == test_labels.shape[1] == 3


def test_texts_of_labels_take_part_where_the_representation_needs_them():
    features, X = fit_features(TEXTS, VectorizationParams(), None)
    train_labels, _ = extract_labels(TEXTS)
    params = LabelIndexingParams(representation={"method": "pifa_lf_convex_combine"})
    texts = embed_texts(TEXTS, features, params, None)
    assert texts.shape == (3, X.shape[1])
    Z = represent(X, train_labels, texts, params, 0, None)
    assert Z.shape == texts.shape
    assert embed_texts(TEXTS, features, LabelIndexingParams(), None).shape == (3, 0)


def test_given_features_leave_texts_to_features_of_their_own():
    params = LabelIndexingParams(representation={"method": "label_text"})
    given = GivenFeatures(2, normalize=False)
    with pytest.raises(ValueError, match="or choose own_features"):
        embed_texts(TEXTS, given, params, None)
    own = LabelIndexingParams(representation={"method": "label_text"}, label_text={"source": "own_features"})
    assert embed_texts(TEXTS, given, own, None).shape[0] == 3


def test_the_quality_of_a_tree_is_told(caplog):
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    train_labels, _ = extract_labels(TEXTS)
    with caplog.at_level("INFO", logger="larix"):
        quality = assess_tree(grown_tree(X, train_labels), X[[0, 0, 0]])
    assert quality["n_labels"] == 2
    assert "cosine 1.000 within clusters" in caplog.text


class Matcher:
    def predict(self, X):
        return sp.csr_array(np.ones((X.shape[0], 1), np.float32))


def test_the_matcher_is_asked_only_if_negatives_come_from_it():
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    train_labels, _ = extract_labels(TEXTS)
    tree = grown_tree(X, train_labels)
    assert score_train_clusters(Matcher(), X, tree, RankingParams()).nnz == 0
    assert score_train_clusters(Matcher(), X, tree, RankingParams(negatives="man")).nnz == 3


def test_examples_are_explained_if_they_have_texts():
    train_labels, test_labels = extract_labels(TEXTS)
    features, X = fit_features(TEXTS, VectorizationParams(char=None), None)
    model = XRLinear().fit(X, train_labels)
    classifier = Suggester(
        features=features, model=model, label_ids=TEXTS.label_ids, label_names=TEXTS.label_names,
        frequencies=LabelFrequencies.of(train_labels),
    )  # fmt: skip
    params, P = ReportingParams(max_k=2), model.predict(vectorize_test(features, TEXTS), top_k=2)
    findings = examine(P, test_labels, train_labels, TEXTS, model.tree_, params, 0)
    (told,) = explain_examples(classifier, findings, params)
    assert (told["text"], told["label"], told["correct"]) == ("a fox", "animal", True)
    classifier.features = GivenFeatures(features.n_features_)
    assert explain_examples(classifier, findings, params) == []


def test_findings_come_back_from_plain_values():
    train_labels, test_labels = extract_labels(TEXTS)
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    tree = grown_tree(X, train_labels)
    predictions = sp.csr_array(np.array([[0.2, 0.9, 0.0]], np.float32))
    plain = examine(predictions, test_labels, train_labels, TEXTS, tree, ReportingParams(max_k=2), 0)
    findings = Findings.from_dict(plain)
    assert findings.right[0].text == "a fox"
    assert findings.right[0].missed == (("wild", "wild"),)
    assert findings.worst_labels[0].label == "wild"
    assert Findings.from_dict(findings.to_dict()) == findings
