"""The ensemble stage: how further trees differ from the first, and that they answer together."""

from dataclasses import asdict

import numpy as np
import pytest
import scipy.sparse as sp

from larix.corpora import corpus_from_texts
from larix.pipelines.ensemble.nodes import join_trees, train_members
from larix.pipelines.ensemble.params import EnsembleParams, MemberParams
from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.nodes import predict_held_out
from larix.pipelines.refinement.params import RefinementParams
from larix.serving.given_features import GivenFeatures
from larix.xmc.beam_search import SearchParams
from larix.xmc.clustering import ClusteringParams
from larix.xmc.ensemble import Ensemble, combine_predictions
from larix.xmc.held_out import hold_out
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.xr_linear import XRLinear
from tests.xmc.data import documents

INDEXING = LabelIndexingParams(clustering={"branching": 4, "max_leaf_size": 5})


@pytest.fixture(scope="module")
def data():
    X, Y = documents(1200, 60, 30, seed=1)
    labels = [[f"{j:02}" for j in Y.indices[a:b]] for a, b in zip(Y.indptr[:-1], Y.indptr[1:], strict=True)]
    return corpus_from_texts([f"text {i}" for i in range(1200)], labels, [], []), X, Y


def members(data, *changes, **params):
    corpus, X, Y = data
    return train_members(
        corpus, GivenFeatures(60), X, Y, EnsembleParams(changes, **params), INDEXING,
        MatcherTrainingParams(), RankingParams(), 0, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "model"),
    [
        ({}, XRLinear(clustering=INDEXING.clustering, random_state=1)),
        ({"random_state": 7}, XRLinear(clustering=INDEXING.clustering, random_state=7)),
        (
            {"clustering": {"branching": 2}, "random_state": 0},
            XRLinear(clustering=ClusteringParams(branching=2, max_leaf_size=5)),
        ),
        (
            {"representation": {"method": "pii"}, "random_state": 0},
            XRLinear(representation="pii", clustering=INDEXING.clustering),
        ),
    ],
)
def test_a_member_is_the_model_with_these_parameters(data, change, model):
    (member,) = members(data, MemberParams(**change)).models_
    expected = model.fit(data[1], data[2])
    assert member.random_state == expected.random_state
    assert member.predict(data[1]).data.tobytes() == expected.predict(data[1]).data.tobytes()


def test_texts_of_labels_serve_a_member_that_wants_them(data):
    change = {"representation": {"method": "label_text"}, "label_text": {"source": "own_features"}}
    (member,) = members(data, MemberParams(**change)).models_
    assert not np.array_equal(
        member.tree_.slot_label, members(data, MemberParams()).models_[0].tree_.slot_label
    )


def test_members_join_the_first_tree_and_are_searched_like_it(data):
    first, search = XRLinear().fit(*data[1:]), SearchParams(beam_size=3, top_k=4)
    others = members(data, MemberParams(), MemberParams(), rule="rank_average")
    joined = join_trees([first, *others.models_], others.rule, search)
    assert [model.search for model in joined.models_] == [search] * 3
    assert first.search == SearchParams()
    predictions = [model.predict(data[1], top_k=4, beam_size=3) for model in (first, *others.models_)]
    expected = combine_predictions(predictions, "rank_average", top_k=4)
    assert joined.predict(data[1]).data.tobytes() == expected.data.tobytes()
    alone = join_trees([first], "average", search)
    assert isinstance(alone, XRLinear)


def test_held_out_scores_are_those_of_the_whole_ensemble(data):
    _, X, Y = data
    first, others = XRLinear(clustering=INDEXING.clustering).fit(X, Y), members(data, MemberParams())
    held = hold_out(Y, 0.1)
    second = Ensemble.of([XRLinear().fit(X[~held], Y[~held], first.tree_)])
    settings = MatcherTrainingParams(), RankingParams(), asdict(SearchParams()), RefinementParams(memory=None)
    scores, labels, _ = predict_held_out(X, Y, second, others, *settings, 0, 1, sp.csr_array(Y.shape))
    models = [XRLinear(random_state=seed).fit(X[~held], Y[~held], model.tree_)
              for seed, model in enumerate((first, *others.models_))]  # fmt: skip
    expected = Ensemble.of(models).predict(X[held], top_k=RefinementParams().n_candidates)
    assert scores.data.tobytes() == expected.data.tobytes()
    assert labels.nnz == Y[held].nnz


def test_without_members_there_is_nothing_to_train(data):
    assert members(data).models_ == []


def test_lists_of_mappings_become_members():
    params = EnsembleParams(members=[{"random_state": 1}, {"clustering": {"branching": 8}}])
    assert params.members == (MemberParams(random_state=1), MemberParams(clustering={"branching": 8}))
    indexing = params.members[1].indexing(LabelIndexingParams(representation={"method": "pii"}))
    assert indexing.representation == RepresentationParams("pii")
    assert indexing.clustering == ClusteringParams(branching=8)


@pytest.mark.parametrize(
    ("member", "error", "message"),
    [
        ({"seed": 1}, TypeError, "members has no key 'seed'"),
        (
            {"clustering": {"branchin": 8}},
            TypeError,
            "clustering has no key 'branchin'; did you mean 'branching'",
        ),
        ({"clustering": {"branching": 1}}, ValueError, "branching must be at least 2, but is 1"),
        ({"representation": {"method": "pif"}}, ValueError, "did you mean 'pifa'"),
    ],
)
def test_a_wrong_member_is_refused(member, error, message):
    with pytest.raises(error, match=message):
        EnsembleParams(members=[member])


def test_a_wrong_rule_is_refused():
    with pytest.raises(ValueError, match="did you mean 'average'"):
        EnsembleParams(rule="averag")
