import numpy as np
import pytest

from larix.xmc.beam_search import SearchParams
from larix.xmc.label_representation import represent_labels
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import check_csr
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.x_transformer import (
    ClusterTuningParams,
    cluster_flat,
    fine_tune_on_clusters,
    matcher_of_head,
)
from larix.xmc.xr_linear import XRLinear
from tests.xmc.data import documents, random_tree

N, D, d, K, L = 60, 40, 6, 5, 20
WORDS = ["heart", "lung", "skin", "wrist", "chest", "bone", "cough", "rash"]
TEXTS = [f"{word} {rest}" for word in WORDS for rest in ("pain", "failure", "infection", "of the")]


def rows(n, d, seed):
    return np.asarray(unit_rows(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)))


def same_cluster(tree):
    cluster = np.empty(tree.n_labels, np.int64)
    cluster[tree.slot_label] = tree.slot_cluster()
    return cluster[:, None] == cluster


@pytest.mark.parametrize(
    ("method", "n_clusters", "by_text", "by_documents"),
    [("label_text", 2, True, False), ("pifa", 2, False, True), ("pifa_lf_concat", 4, True, True)],
)
def test_clusters_are_those_of_what_represents_labels(method, n_clusters, by_text, by_documents):
    """Names of labels tell one half of them from the other, documents the even ones from the odd."""
    labels = np.arange(16)
    noise = rows(16, 8, seed=0) / 10
    names = np.eye(8, dtype=np.float32)[labels // 8] + noise
    texts = np.repeat(np.eye(8, dtype=np.float32)[4 + labels % 2] + noise, 3, axis=0)
    Y = check_csr(np.repeat(np.eye(16), 3, axis=0))
    Z = represent_labels(check_csr(texts), Y, method, label_features=names)
    tree = cluster_flat(Z, n_clusters)
    expected = np.ones((16, 16), bool)
    for counts, of_label in ((by_text, labels // 8), (by_documents, labels % 2)):
        expected &= (of_label[:, None] == of_label) | (not counts)
    assert np.array_equal(same_cluster(tree), expected)


@pytest.mark.parametrize("n_clusters", [2, 3, 7, 16, 29, 50])
def test_there_are_as_many_clusters_as_asked_for_and_no_level_above(n_clusters):
    tree = cluster_flat(rows(100, 4, seed=1), n_clusters)
    assert (tree.depth, tree.n_clusters, tree.n_slots) == (2, n_clusters, 100)
    sizes = tree.cluster_sizes()
    assert sizes.max() - sizes.min() <= 1


def test_only_some_labels_are_clustered():
    tree = cluster_flat(rows(10, 4, seed=1), 2, labels=np.array([1, 3, 5, 7]))
    assert sorted(tree.slot_label) == [1, 3, 5, 7]
    assert tree.n_labels == 10


@pytest.mark.parametrize("n_clusters", [1, 6])
def test_clusters_hold_two_labels_or_more(n_clusters):
    with pytest.raises(ValueError, match=rf"n_clusters must lie in 2..5, .* but is {n_clusters}"):
        cluster_flat(rows(11, 4, seed=1), n_clusters)


def head_and_rows(weight):
    rng = np.random.default_rng(2)
    head = {"weight": rng.normal(size=(K, d)).astype(np.float32), "bias": rng.normal(size=K).astype("f4")}
    X, Y = documents(N, D, L, seed=3)
    E = rows(N, d, seed=4)
    return head, unit_rows(join_columns([unit_rows(X), E * np.float32(weight)])), E, Y


@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_a_head_as_a_linear_level_gives_its_margins(weight):
    head, X, E, _ = head_and_rows(weight)
    search = SearchParams(beam_size=K, post_processor="noop")
    tree = random_tree(L, [K], seed=1)
    matcher = matcher_of_head(head, tree, D + d, embedding_weight=weight, search=search)
    margins = E @ head["weight"].T + head["bias"]
    np.testing.assert_allclose(matcher.predict(X).toarray(), margins, atol=1e-5)


def test_without_a_known_ngram_the_products_are_too_large_by_a_known_factor():
    head, _, E, _ = head_and_rows(1.0)
    search = SearchParams(beam_size=K, post_processor="noop")
    matcher = matcher_of_head(head, random_tree(L, [K], seed=1), D + d, search=search)
    X = unit_rows(join_columns([check_csr(np.zeros((N, D))), E]))
    margins = np.sqrt(2) * (E @ head["weight"].T) + head["bias"]
    np.testing.assert_allclose(matcher.predict(X).toarray(), margins, atol=1e-5)


def test_a_head_and_a_ranker_are_a_classifier_that_is_saved_and_loaded(tmp_path):
    head, X, _, Y = head_and_rows(1.0)
    tree = random_tree(L, [K], seed=1)
    matcher = matcher_of_head(head, tree, D + d, search=SearchParams(beam_size=2))
    matcher.save(tmp_path / "matcher")
    loaded = LinearMatcher.load(tmp_path / "matcher")
    found = loaded.predict(X)
    assert (found != matcher.predict(X)).nnz == 0
    ranker = LinearRanker(negatives="tfn+man").fit(X, Y, tree, found)
    model = XRLinear.from_stages(loaded, ranker)
    model.save(tmp_path / "model")
    again = XRLinear.load(tmp_path / "model")
    assert (again.predict(X) != model.predict(X)).nnz == 0
    assert (again.to_stages()[0].predict(X) != found).nnz == 0


def test_a_head_needs_its_tree():
    head, *_ = head_and_rows(1.0)
    for tree in (random_tree(L, [K + 1], seed=1), random_tree(L, [2, K], seed=1)):
        with pytest.raises(ValueError, match="a head of 5 clusters needs a tree with these and no levels"):
            matcher_of_head(head, tree, D + d)


@pytest.mark.filterwarnings("default")  # of torch and transformers
@pytest.mark.parametrize("start", ["linear", "fresh"])
def test_encoder_and_head_learn_the_clusters(encoder_folder, tmp_path, start):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    Y = check_csr(np.repeat(np.eye(8), 4, axis=0))
    before = encoder.embed(TEXTS)
    tree = cluster_flat(represent_labels(check_csr(before), Y), 4)
    training = LevelTrainingParams(steps=60, batch_size=8, learning_rate=5e-3, head_learning_rate=0.05)
    params = ClusterTuningParams(training, start=start)
    tuned = fine_tune_on_clusters(encoder, TEXTS, Y, tree, params, checkpoint_folder=tmp_path, n_threads=1)
    (losses,), (head,) = tuned.losses, tuned.heads
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    E = tuned.encoder.embed(tuned.encoder.tokens(TEXTS))
    assert np.abs(E - before).max() > 1e-3
    arrays = head.to_arrays()
    best = (E @ arrays["weight"].T + arrays["bias"]).argmax(1)
    assert np.mean(best == tree.node_targets(Y)[0].indices) > 0.9


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_only_the_last_layers_are_trained_if_asked_for(encoder_folder):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    Y = check_csr(np.repeat(np.eye(8), 4, axis=0))
    params = ClusterTuningParams(LevelTrainingParams(steps=1, batch_size=8), trained_layers=1)
    tuned = fine_tune_on_clusters(encoder, TEXTS, Y, cluster_flat(np.eye(8), 4), params, n_threads=1)
    before, after = encoder.load()[0].state_dict(), tuned.encoder.model.state_dict()
    layers = {
        name.split(".")[2] for name in before if "layer." in name and not before[name].equal(after[name])
    }
    assert layers == {"1"}


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_without_steps_the_head_is_a_linear_model_on_embeddings(encoder_folder):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    Y, E = check_csr(np.repeat(np.eye(8), 4, axis=0)), encoder.embed(TEXTS)
    tree = cluster_flat(represent_labels(check_csr(E), Y), 4)
    params = ClusterTuningParams(LevelTrainingParams(steps=0))
    head = fine_tune_on_clusters(encoder, TEXTS, Y, tree, params, n_threads=1).heads[0].to_arrays()
    linear = LinearMatcher(solver=SolverParams(Cp=4.0, max_iter=10, threshold=0.0)).fit(check_csr(E), Y, tree)
    W = linear.weights_.to_csc().toarray()
    np.testing.assert_allclose(np.column_stack([head["weight"], head["bias"]]).T, W, atol=1e-6)


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="start must be one of linear, fresh, but is 'inherit'"):
        ClusterTuningParams(start="inherit")
