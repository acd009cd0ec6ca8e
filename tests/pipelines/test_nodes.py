"""What nodes do beside calling: the few decisions they take."""

import numpy as np
import scipy.sparse as sp

from larix.corpora import corpus_from_texts
from larix.corpora.corpus import Corpus, CorpusPart
from larix.pipelines.label_indexing.nodes import LabelIndexingParams, grow_tree, represent
from larix.pipelines.ranking.nodes import RankingParams, score_train_clusters
from larix.pipelines.reporting.findings import Findings
from larix.pipelines.reporting.nodes import ReportingParams, examine
from larix.pipelines.vectorization.nodes import (
    VectorizationParams,
    extract_labels,
    fit_features,
    vectorize_test,
)
from larix.serving.given_features import GivenFeatures
from larix.xmc.text_features import TextFeatures

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


def test_labels_unseen_in_training_get_no_slot():
    train_labels, test_labels = extract_labels(TEXTS)
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    params = LabelIndexingParams()
    tree = grow_tree(represent(X, train_labels, params), train_labels, params, 0, None)
    assert TEXTS.label_ids == ["air", "animal", "wild"]
    assert sorted(tree.slot_label) == [0, 1]
    assert tree.n_labels == train_labels.shape[1] == test_labels.shape[1] == 3


class Matcher:
    def predict(self, X):
        return sp.csr_array(np.ones((X.shape[0], 1), np.float32))


def test_the_matcher_is_asked_only_if_negatives_come_from_it():
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    train_labels, _ = extract_labels(TEXTS)
    params = LabelIndexingParams()
    tree = grow_tree(represent(X, train_labels, params), train_labels, params, 0, None)
    assert score_train_clusters(Matcher(), X, tree, RankingParams()).nnz == 0
    assert score_train_clusters(Matcher(), X, tree, RankingParams(negatives="man")).nnz == 3


def test_findings_come_back_from_plain_values():
    train_labels, test_labels = extract_labels(TEXTS)
    _, X = fit_features(TEXTS, VectorizationParams(), None)
    indexing = LabelIndexingParams()
    tree = grow_tree(represent(X, train_labels, indexing), train_labels, indexing, 0, None)
    predictions = sp.csr_array(np.array([[0.2, 0.9, 0.0]], np.float32))
    plain = examine(predictions, test_labels, train_labels, TEXTS, tree, ReportingParams(max_k=2), 0)
    findings = Findings.from_dict(plain)
    assert findings.right[0].text == "a fox"
    assert findings.right[0].missed == (("wild", "wild"),)
    assert findings.worst_labels[0].label == "wild"
    assert Findings.from_dict(findings.to_dict()) == findings
