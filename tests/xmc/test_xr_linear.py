"""The contract of the estimators: matcher, ranker, and their composition."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from larix import (
    ClusteringParams,
    LinearMatcher,
    LinearRanker,
    RelevanceParams,
    SearchParams,
    SolverParams,
    XRLinear,
    evaluate,
)
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.persistence import ModelFolderError
from tests.xmc.data import documents, random_tree

SMALL = ClusteringParams(branching=4, max_leaf_size=6)


@pytest.fixture(scope="module")
def data():
    X, Y = documents(600, 80, 60, seed=0)
    return X[:500], Y[:500], X[500:], Y[500:]


@pytest.fixture(scope="module")
def model(data):
    return XRLinear(clustering=SMALL).fit(*data[:2])


def test_it_learns(data, model):
    _, Y, X_test, Y_test = data
    assert evaluate(model.predict(X_test), Y_test, Y).metrics["P@1"] > 0.8


def test_predictions_are_top_k_by_descending_score(data, model):
    P = model.predict(data[2], top_k=7)
    assert P.shape == (100, 60)
    assert np.all(np.diff(P.indptr) == 7)
    scores = P.data.reshape(100, 7)
    assert np.all(np.diff(scores, axis=1) <= 0)
    assert all(len(set(row)) == 7 for row in P.indices.reshape(100, 7))


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, sp.csc_array, lambda X: X.toarray(), lambda X: X.astype(np.float64)]
)
def test_every_kind_of_matrix_gives_the_same_bytes(data, model, kind):
    X, Y, X_test, _ = data
    other = XRLinear(clustering=SMALL).fit(kind(X), kind(Y))
    assert other.weights_.weights.tobytes() == model.weights_.weights.tobytes()
    assert other.predict(kind(X_test)).data.tobytes() == model.predict(X_test).data.tobytes()


@pytest.mark.parametrize("negatives", ["tfn", "man", "tfn+man"])
def test_bytes_depend_on_the_seed_but_not_on_threads(data, negatives):
    X, Y = data[:2]

    def bytes_of(**params):
        fitted = XRLinear(
            clustering=SMALL, matcher_negatives=negatives, ranker_negatives=negatives, **params
        ).fit(X, Y)
        return b"".join(array.tobytes() for array in fitted.weights_.arrays().values())

    assert bytes_of(n_threads=1) == bytes_of(n_threads=2) == bytes_of(n_threads=3)
    assert bytes_of(random_state=1) != bytes_of(random_state=2)


def test_matcher_aware_negatives_see_more_instances(data):
    X, Y = data[:2]
    tree = random_tree(60, [10], seed=1)
    matcher = LinearMatcher(search=SearchParams(beam_size=5)).fit(X, Y, tree)
    plain = LinearRanker().fit(X, Y, tree)
    aware = LinearRanker(negatives="tfn+man").fit(X, Y, tree, matcher.predict(X))
    assert len(aware.weights_.features) > len(plain.weights_.features)


def test_stages_composed_predict_like_the_whole(data, model):
    X, Y, X_test, _ = data
    matcher = LinearMatcher().fit(X, Y, model.tree_)
    ranker = LinearRanker().fit(X, Y, model.tree_)
    whole = XRLinear.from_stages(matcher, ranker).predict(X_test)
    staged = ranker.predict(X_test, matcher.predict(X_test))
    direct = model.predict(X_test)
    assert whole.data.tobytes() == direct.data.tobytes()
    assert np.array_equal(whole.indices, direct.indices)
    np.testing.assert_allclose(staged.toarray(), direct.toarray(), rtol=1e-5, atol=1e-7)


def test_stages_of_different_trees_do_not_compose(data):
    X, Y = data[:2]
    matcher = LinearMatcher().fit(X, Y, random_tree(60, [10]))
    ranker = LinearRanker().fit(X, Y, random_tree(60, [11]))
    with pytest.raises(ValueError, match="must share one label tree"):
        XRLinear.from_stages(matcher, ranker)


def test_levels_may_differ_in_solver_negatives_and_post_processor(data):
    X, Y, X_test, Y_test = data
    solvers = (SolverParams(), SolverParams(Cp=2.0), SolverParams(loss="logistic"))
    search = SearchParams(post_processor=("l3-hinge", "l2-hinge", "noop"))
    clustering = ClusteringParams(branching=4, max_leaf_size=6, root_branching=4)
    fitted = XRLinear(
        clustering=clustering, solver=solvers, search=search,
        matcher_negatives=("tfn", "man"), ranker_negatives="tfn+man",
    ).fit(X, Y)  # fmt: skip
    assert fitted.tree_.depth == 3
    assert evaluate(fitted.predict(X_test), Y_test, Y).metrics["P@1"] > 0.8
    matcher = LinearMatcher(
        solver=solvers[:2], negatives=("tfn", "man"),
        search=SearchParams(post_processor=("l3-hinge", "l2-hinge")),
    ).fit(X, Y, fitted.tree_)  # fmt: skip
    ranker = LinearRanker(solver=solvers[2], negatives="tfn+man", search=SearchParams(post_processor="noop"))
    whole = XRLinear.from_stages(matcher, ranker.fit(X, Y, fitted.tree_, matcher.predict(X)))
    assert whole.predict(X_test).data.tobytes() == fitted.predict(X_test).data.tobytes()
    assert whole.solver == solvers


def test_settings_for_another_number_of_levels_are_refused(data):
    with pytest.raises(
        ValueError, match="solver must be one value or one for each of the 3 levels, but has 2"
    ):
        XRLinear(clustering=SMALL, solver=(SolverParams(), SolverParams())).fit(*data[:2])


@pytest.mark.parametrize("mode", ["induced", "ranker-only"])
@pytest.mark.parametrize("norm", ["none", "l1", "l2", "max"])
def test_relevance_changes_the_levels_it_counts_on(data, model, mode, norm):
    X, Y = data[:2]
    graded = Y.copy()
    graded.data[:] = np.random.default_rng(0).uniform(0.5, 2, Y.nnz)
    fitted = XRLinear(relevance=RelevanceParams(mode, norm)).fit(X, graded, model.tree_)
    plain = XRLinear().fit(X, Y, model.tree_)
    n_above = sum(model.tree_.n_nodes(level) for level in range(model.tree_.depth - 1))
    same_above = np.array_equal(fitted.weights_.bias_weights[:n_above], plain.weights_.bias_weights[:n_above])
    assert same_above == (mode == "ranker-only")
    assert not np.array_equal(fitted.weights_.bias_weights[n_above:], plain.weights_.bias_weights[n_above:])


def test_negative_relevance_is_refused(data):
    with pytest.raises(ValueError, match="relevance must not be negative"):
        XRLinear(relevance=RelevanceParams("induced")).fit(data[0], -data[1])


def test_one_flat_level_is_one_vs_all(data):
    X, Y, X_test, Y_test = data
    flat = XRLinear(clustering=ClusteringParams(max_leaf_size=60)).fit(X, Y)
    assert flat.tree_.depth == 1
    assert evaluate(flat.predict(X_test), Y_test, Y).metrics["P@1"] > 0.8
    matcher = LinearMatcher().fit(X, Y, flat.tree_)
    assert matcher.predict(X_test).shape == (100, 1)
    ranker = LinearRanker().fit(X, Y, flat.tree_)
    np.testing.assert_allclose(
        XRLinear.from_stages(matcher, ranker).predict(X_test).toarray(), flat.predict(X_test).toarray()
    )


def test_labels_without_a_document_get_no_slot(data):
    X, Y, X_test, _ = data
    wider = sp.hstack([Y, sp.csr_array((500, 5), dtype=np.float32)], format="csr")
    fitted = XRLinear(clustering=SMALL).fit(X, wider)
    assert fitted.tree_.n_labels == 65
    assert fitted.tree_.n_slots == len(np.unique(Y.indices))
    assert fitted.predict(X_test).indices.max() < 60


def test_two_copies_in_a_tree_train_and_predict(data):
    X, Y, X_test, Y_test = data
    fitted = XRLinear().fit(X, Y, random_tree(60, [8], seed=2, n_copies=30))
    P = fitted.predict(X_test, top_k=10)
    assert all(len(set(row)) == len(row) for row in np.split(P.indices, P.indptr[1:-1]))
    assert evaluate(P, Y_test, Y).metrics["P@1"] > 0.8


@pytest.mark.parametrize("cls", [XRLinear, LinearMatcher, LinearRanker])
def test_saved_models_predict_the_same_bytes(cls, data, model, tmp_path):
    X, Y, X_test, _ = data
    fitted = model if cls is XRLinear else cls().fit(X, Y, model.tree_)
    fitted.save(tmp_path / "model")
    loaded = cls.load(tmp_path / "model")
    assert loaded.get_params() == fitted.get_params()
    clusters = (LinearMatcher().fit(X, Y, model.tree_).predict(X_test),) if cls is LinearRanker else ()
    assert (
        loaded.predict(X_test, *clusters).data.tobytes() == fitted.predict(X_test, *clusters).data.tobytes()
    )


def test_a_folder_of_another_class_is_refused(model, tmp_path):
    model.save(tmp_path / "model")
    with pytest.raises(ModelFolderError, match="LinearRanker"):
        LinearRanker.load(tmp_path / "model")


def test_clones_have_equal_parameters_and_no_learnt_state(model):
    copy = clone(XRLinear(solver=SolverParams(Cp=3.0), random_state=7))
    assert copy.solver == SolverParams(Cp=3.0)
    assert copy.random_state == 7
    assert not hasattr(clone(model), "weights_")


def test_predicting_before_fitting_says_so():
    with pytest.raises(Exception, match="not fitted yet"):
        XRLinear().predict(np.ones((1, 3)))


def test_wrong_numbers_of_rows_and_features_are_told_apart(data, model):
    X, Y = data[:2]
    with pytest.raises(ValueError, match="Y must have 500 rows, but has 499"):
        XRLinear().fit(X, Y[:499])
    with pytest.raises(ValueError, match="X has 79 features, but XRLinear is expecting 80 features"):
        model.predict(X[:, :79])


def test_no_document_with_a_label_is_an_error(data):
    with pytest.raises(ValueError, match="no label to cluster"):
        XRLinear().fit(data[0], sp.csr_array((500, 4), dtype=np.float32))


def test_unknown_negatives_list_the_choices(data):
    with pytest.raises(ValueError, match=r"negatives must be one of tfn, man, usn, .* but is 'mann'"):
        XRLinear(ranker_negatives="mann").fit(*data[:2])


@pytest.mark.parametrize("merge", ["max", "sum", "mean", "logsumexp"])
@pytest.mark.parametrize("n_copies", [0, 25])
def test_selected_labels_score_as_in_a_search_that_keeps_everything(data, n_copies, merge):
    X, Y, X_test, _ = data
    tree = random_tree(60, [4, 9], seed=3, n_copies=n_copies)
    post_processor = "log-l3-hinge" if merge == "logsumexp" else "l3-hinge"
    search = SearchParams(beam_size=60, top_k=60, post_processor=post_processor, merge=merge)
    fitted = XRLinear(search=search).fit(X, Y, tree)
    everything = fitted.predict(X_test).toarray()
    selected = sp.random_array((100, 60), density=0.1, rng=0, format="csr")
    scores = fitted.score_selected(X_test, selected)
    assert np.array_equal(scores.indices, selected.indices)
    np.testing.assert_allclose(
        scores.toarray(), np.where(selected.toarray() > 0, everything, 0), rtol=1e-5, atol=1e-8
    )


def test_a_search_among_some_labels_finds_the_best_of_them(data):
    X, Y, X_test, _ = data
    fitted = XRLinear().fit(X, Y, random_tree(60, [4, 9], seed=3, n_copies=20))
    labels = [3, 17, 30, 42, 59]
    P = fitted.predict(X_test, labels=labels, top_k=5, beam_size=5)
    assert set(P.indices) == set(labels)
    everything = fitted.predict(X_test, top_k=60, beam_size=60).toarray()
    np.testing.assert_allclose(P.toarray()[:, labels], everything[:, labels], rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"), [([60], r"must lie in 0..59"), ([], "list of label numbers"), ([0.5], "list")]
)
def test_labels_that_do_not_exist_are_refused(data, model, labels, message):
    with pytest.raises(ValueError, match=message):
        model.predict(data[2], labels=labels)


def test_rounded_models_are_smaller_and_score_alike(data, model, tmp_path):
    X_test = data[2]
    rounded = model.rounded()
    assert rounded.size_bytes() < 0.75 * model.size_bytes()
    np.testing.assert_allclose(rounded.predict(X_test).toarray(), model.predict(X_test).toarray(), atol=2e-3)
    rounded.save(tmp_path / "model")
    loaded = XRLinear.load(tmp_path / "model")
    assert loaded.predict(X_test).data.tobytes() == rounded.predict(X_test).data.tobytes()


def by_first_letter(X, Y, label_features):  # noqa: ARG001
    """A representation of one's own."""
    return label_features


@pytest.mark.parametrize(
    "representation", ["pii", RepresentationParams("pifa_lf_concat", text_weight=0.25), by_first_letter]
)
def test_labels_may_be_represented_in_any_way(data, representation, tmp_path):
    X, Y, X_test, Y_test = data
    text = np.random.default_rng(0).random((60, 4))
    fitted = XRLinear(representation=representation, clustering=SMALL).fit(X, Y, label_features=text)
    assert evaluate(fitted.predict(X_test), Y_test, Y).metrics["P@1"] > 0.7
    fitted.save(tmp_path / "model")
    loaded = XRLinear.load(tmp_path / "model")
    own = representation is by_first_letter
    assert loaded.representation == ("by_first_letter" if own else representation)
    assert loaded.predict(X_test).data.tobytes() == fitted.predict(X_test).data.tobytes()
