"""Grow and train further trees, and join them with the first."""

import copy
from collections.abc import Sequence

from larix.corpora import Corpus
from larix.pipelines.ensemble.params import EnsembleParams
from larix.pipelines.label_indexing.nodes import LabelIndexingParams, embed_texts, grow_tree, represent
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams, train_matcher
from larix.pipelines.ranking.nodes import RankingParams, score_train_clusters, train_ranker
from larix.serving.given_features import GivenFeatures
from larix.xmc.beam_search import SearchParams
from larix.xmc.ensemble import Ensemble, Rule
from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.xr_linear import XRLinear


def train_members(
    corpus: Corpus,
    text_features: TextFeatures | JointFeatures | GivenFeatures,
    train_instances: CSR,
    train_labels: CSR,
    params: EnsembleParams,
    label_indexing: LabelIndexingParams,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    random_state: int,
    n_threads: int | None,
    train_rejected: CSR | None = None,
) -> Ensemble:
    """The trees beside the first one, trained; without members there are none."""
    models = []
    for place, member in enumerate(params.members, start=1):
        indexing = member.indexing(label_indexing)
        seed = random_state + place if member.random_state is None else member.random_state
        texts = embed_texts(corpus, text_features, indexing, n_threads)
        Z = represent(train_instances, train_labels, texts, indexing, seed, n_threads)
        tree = grow_tree(Z, train_labels, indexing, seed, n_threads)
        models.append(
            train_model(
                train_instances,
                train_labels,
                tree,
                matcher_training,
                ranking,
                seed,
                n_threads,
                train_rejected,
            )
        )
    return Ensemble.of(models, params.rule)


def train_model(
    X: CSR,
    Y: CSR,
    label_tree: LabelTree,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    random_state: int,
    n_threads: int | None,
    rejected: CSR | None = None,
) -> XRLinear:
    """Matcher and ranker of a tree, as the stages of these names train them."""
    matcher = train_matcher(X, Y, label_tree, matcher_training, random_state, n_threads, rejected)
    clusters = score_train_clusters(matcher, X, label_tree, ranking)
    ranker = train_ranker(X, Y, label_tree, clusters, ranking, random_state, n_threads, rejected)
    return XRLinear.from_stages(matcher, ranker)


def train_again(
    members: Ensemble,
    X: CSR,
    Y: CSR,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    n_threads: int | None,
    rejected: CSR | None,
) -> list[XRLinear]:
    """Models of the members' trees for other documents."""
    return [
        train_model(X, Y, member.tree_, matcher_training, ranking, member.random_state, n_threads, rejected)
        for member in members.models_
    ]


def join_trees(models: Sequence[XRLinear], rule: Rule, search: SearchParams) -> XRLinear | Ensemble:
    """What answers for these models: the one there is, or an ensemble."""
    searched = [copy.copy(model).set_params(search=search) for model in models]
    return searched[0] if len(searched) == 1 else Ensemble.of(searched, rule)
