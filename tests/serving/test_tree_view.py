import numpy as np
import pytest

import larix
from larix.serving.given_features import GivenFeatures
from larix.serving.tree_view import LabelledRows, view_tree
from larix.xmc.label_tree import LabelTree

TEXTS = ["fracture of the wrist", "broken forearm bone", "itching rash", "dry itching skin", "heart failure"]
LABELS = [["bone"], ["bone"], ["skin"], ["skin"], ["heart"]]


@pytest.fixture
def classifier(finished_project):
    return larix.load(finished_project.path("06_models/classifier"))


@pytest.fixture
def documents(classifier):
    Y = np.array([[label in own for label in classifier.label_ids] for own in LABELS])
    return LabelledRows(classifier.rows(TEXTS), Y, TEXTS)


def test_a_classifier_alone_tells_words_and_features(classifier):
    view = view_tree(classifier, n_features=4)
    assert view.tree is classifier.model.tree_
    assert view.n_training.sum() == classifier.frequencies.counts.sum()
    slot = view.tree.slot_label.tolist().index(classifier.label_ids.index("skin"))
    row = view.features[[view.features.shape[0] - view.tree.n_slots + slot]]
    assert row.nnz == 4
    assert any("skin" in view.feature_names[feature] for feature in row.indices)
    assert view.kept is None
    assert view.documents is None


def test_unseen_documents_tell_where_searches_lose_their_way(classifier, documents):
    kept = view_tree(classifier, unseen=documents).kept
    assert kept.n_true.sum() == len(TEXTS)
    assert 0.5 < kept.recall()[-1] <= 1


def test_documents_are_told_of_labels_in_several_clusters_alone(classifier, documents):
    tree = classifier.model.tree_
    assert view_tree(classifier, training=documents).documents.count.sum() == 0
    labels = list(range(tree.n_labels))
    bone = classifier.label_ids.index("bone")
    other = next(c for c in range(tree.n_clusters) if bone not in tree.labels_of_cluster(c))
    clusters = [int(tree.slot_cluster()[tree.slot_label.tolist().index(label)]) for label in labels]
    wider = tree.with_slots(np.array([*labels, bone]), np.array([*clusters, other]))
    classifier.model = type(classifier.model)().fit(documents.X, documents.Y, wider)
    view = view_tree(classifier, training=documents)
    told = view.documents.count > 0
    assert set(view.tree.slot_label[told]) == {bone}
    shown = {view.texts[row] for row in view.documents.best.indices}
    assert shown == set(TEXTS[:2])


def test_given_features_have_numbers_alone(classifier, documents):
    classifier.features = GivenFeatures(classifier.model.n_features_in_, normalize=False)
    nameless = LabelledRows(documents.X, documents.Y)
    view = view_tree(classifier, training=nameless)
    assert view.feature_names is None
    assert (len(view.texts), view.texts[4]) == (5, "document 5")
    assert isinstance(view.tree, LabelTree)
