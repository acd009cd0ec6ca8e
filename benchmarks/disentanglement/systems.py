"""Everything that is compared, trained from one seed.

All of a seed start from one plain tree. What several share (the plain model, out-of-fold beams) is trained
once, and counts in full for each of them. All but the plain model search with the widest beam that costs a
query at most `Source.max_cost` times the plain model's inner products, which is found on training documents.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.disentanglement.corpora import Source, StudyCorpus
from benchmarks.disentanglement.measures import System, cost
from larix import ClusteringParams, XRLinear
from larix.xmc.disentangled_training import Retrain, cluster_beams, train_on
from larix.xmc.disentanglement import (
    DisentanglementParams,
    Reassignment,
    own_clusters,
    reassign_labels,
    slots_of_positives,
)
from larix.xmc.label_tree import LabelTree
from larix.xmc.random_copies import random_copies
from larix.xmc.search_cost import widest_beam
from larix.xmc.sparse import CSR

BEAM, WIDEST = 10, 40
N_QUERIES = 1000
OTHER_SEED = 100
WINNER = DisentanglementParams()
PAPER = DisentanglementParams(
    method="counts", max_clusters_per_label=2, n_folds=1, beam_size=BEAM, keep_own=False, budget=None,
    negatives="tfn",
)  # fmt: skip
ROUNDS = replace(WINNER, positives="beam")
EVERYWHERE = replace(WINNER, max_clusters_per_label=2, budget=None)
HALF = replace(WINNER, budget=1.5)
LIGHT = replace(WINNER, budget=1.5, n_folds=2, beam_size=4)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and CPU seconds of all threads."""
    started = time.process_time()
    done = work()
    return done, time.process_time() - started


@dataclass(frozen=True, eq=False)
class Workbench:
    """A corpus and a seed."""

    corpus: StudyCorpus
    source: Source
    seed: int

    @cached_property
    def plain(self) -> tuple[XRLinear, float]:
        """The plain model and its CPU seconds."""
        return self.fit()

    @cached_property
    def limit(self) -> float:
        """Inner products that a query may cost."""
        return self.source.max_cost * cost([self.plain[0]], [BEAM], self.queries)

    @cached_property
    def beams(self) -> tuple[CSR, float]:
        """Out-of-fold beams of the training documents and their CPU seconds."""
        return self.train_beams(self.plain[0], WINNER)

    @property
    def queries(self) -> CSR:
        """Training documents on which beams are chosen."""
        rows = np.random.default_rng(0).permutation(self.corpus.train.X.shape[0])[:N_QUERIES]
        return self.corpus.train.X[rows]

    def fit(self, *, seed: int | None = None, leaf: int | None = None) -> tuple[XRLinear, float]:
        """A plain model."""
        model = XRLinear(
            clustering=ClusteringParams(max_leaf_size=leaf or self.source.leaf),
            random_state=self.seed if seed is None else seed,
        )
        return timed(lambda: model.fit(self.corpus.train.X, self.corpus.train.Y))

    def train_beams(self, model: XRLinear, params: DisentanglementParams) -> tuple[CSR, float]:
        """Beams of the training documents as the parameters say."""
        matcher, _ = model.to_stages()
        how = {"beam_size": params.beam_size, "n_folds": params.n_folds, "random_state": model.random_state}
        train = self.corpus.train
        return timed(lambda: cluster_beams(matcher, train.X, train.Y, model.tree_, **how))

    def narrowed(self, *models: XRLinear, cpu_s: float) -> System:
        """With the widest beams within the limit, which the models share."""
        each = self.limit / len(models)
        beams = tuple(
            widest_beam(model.to_stages()[0], model.tree_, self.queries, widest=WIDEST, limit=each)
            for model in models
        )
        return System(models, beams, cpu_s)

    def retrained(
        self,
        plain: XRLinear,
        tree: LabelTree,
        beams: CSR,
        params: DisentanglementParams,
        retrain: Retrain = "ranker",
    ) -> XRLinear:
        """A model on a tree with further slots."""
        train, gains = self.corpus.train, np.zeros(tree.n_slots, np.float32)
        reassigned, stages = Reassignment(tree, gains), plain.to_stages()
        stages = train_on(reassigned, plain.tree_, *stages, train.X, train.Y, beams, params, retrain)
        model = XRLinear.from_stages(*stages)
        model.search = plain.search
        return model

    def disentangled(
        self, plain: tuple[XRLinear, float], params: DisentanglementParams, retrain: Retrain = "ranker"
    ) -> tuple[XRLinear, float]:
        """A disentangled model, and the CPU seconds of everything from indexing on."""
        model, seconds = plain
        alike = (params.n_folds, params.beam_size) == (WINNER.n_folds, WINNER.beam_size)
        beams, beam_s = self.beams if alike and model is self.plain[0] else self.train_beams(model, params)

        def train() -> XRLinear:
            tree = reassign_labels(model.tree_, self.corpus.train.Y, beams, params).tree
            return self.retrained(model, tree, beams, params, retrain)

        found, train_s = timed(train)
        return found, seconds + beam_s + train_s

    @cached_property
    def winner(self) -> tuple[XRLinear, float]:
        """The recommended model."""
        return self.disentangled(self.plain, WINNER)

    def of(self, params: DisentanglementParams, retrain: Retrain = "ranker") -> System:
        """A disentangled model within the limit."""
        model, seconds = self.disentangled(self.plain, params, retrain)
        return self.narrowed(model, cpu_s=seconds)


def plain(bench: Workbench) -> System:
    model, seconds = bench.plain
    return System((model,), (BEAM,), seconds)


def wider_beam(bench: Workbench) -> System:
    model, seconds = bench.plain
    return bench.narrowed(model, cpu_s=seconds)


def matcher_aware(bench: Workbench) -> System:
    model, seconds = bench.plain
    beams, beam_s = bench.beams
    matcher, ranker = model.to_stages()
    ranker.set_params(negatives="tfn+man")
    train = bench.corpus.train
    _, train_s = timed(lambda: ranker.fit(train.X, train.Y, model.tree_, beams))
    return bench.narrowed(XRLinear.from_stages(matcher, ranker), cpu_s=seconds + beam_s + train_s)


def larger_leaves(bench: Workbench) -> System:
    model, seconds = bench.fit(leaf=2 * bench.source.leaf)
    return bench.narrowed(model, cpu_s=seconds)


def two_plain_trees(bench: Workbench) -> System:
    (one, seconds), (other, more) = bench.plain, bench.fit(seed=bench.seed + OTHER_SEED)
    return bench.narrowed(one, other, cpu_s=seconds + more)


def random_clusters(bench: Workbench) -> System:
    model, seconds = bench.plain
    beams, beam_s = bench.beams
    tree = random_copies(model.tree_, bench.winner[0].tree_, random_state=bench.seed)
    found, train_s = timed(lambda: bench.retrained(model, tree, beams, WINNER))
    return bench.narrowed(found, cpu_s=seconds + beam_s + train_s)


def recommended(bench: Workbench) -> System:
    model, seconds = bench.winner
    return bench.narrowed(model, cpu_s=seconds)


def two_disentangled_trees(bench: Workbench) -> System:
    one, seconds = bench.disentangled(bench.plain, HALF)
    other, more = bench.disentangled(bench.fit(seed=bench.seed + OTHER_SEED), HALF)
    return bench.narrowed(one, other, cpu_s=seconds + more)


def rounds(n: int) -> Callable[[Workbench], System]:
    """So many rounds, each with the beams of the matcher that the last one trained."""

    def train(bench: Workbench) -> System:
        documents, (first, seconds) = bench.corpus.train, bench.plain
        model, targets, own = first, None, own_clusters(first.tree_)
        for _ in range(n):

            def beams_of(model: XRLinear = model, targets: CSR | None = targets) -> CSR:
                return cluster_beams(
                    model.to_stages()[0], documents.X, documents.Y, model.tree_, slot_targets=targets,
                    beam_size=ROUNDS.beam_size, n_folds=ROUNDS.n_folds, random_state=first.random_state,
                )  # fmt: skip

            beams, beam_s = bench.beams if model is first else timed(beams_of)
            started = time.process_time()
            tree = reassign_labels(first.tree_, documents.Y, beams, ROUNDS).tree
            targets = slots_of_positives(tree, own, documents.Y, beams, ROUNDS.positives)
            model = bench.retrained(first, tree, beams, ROUNDS, "both")
            seconds += beam_s + time.process_time() - started
        return bench.narrowed(model, cpu_s=seconds)

    return train


@dataclass(frozen=True)
class Row:
    """A row of the tables.

    Parameters
    ----------
    title : str
    build : callable
    control : bool
        The target is to be better than each of these.
    grid : bool
        One seed is enough.
    """

    title: str
    build: Callable[[Workbench], System]
    control: bool = False
    grid: bool = False


ROWS = {
    "plain": Row("plain, beam 10", plain, control=True),
    "winner": Row("disentangled", recommended),
    "light": Row("disentangled, lightly", lambda bench: bench.of(LIGHT)),
    "everywhere": Row("two, no budget, all again", lambda bench: bench.of(EVERYWHERE, "both")),
    "wider": Row("plain, wider beam", wider_beam, control=True),
    "man": Row("plain, tfn+man", matcher_aware, control=True),
    "leaves": Row("plain, larger leaves", larger_leaves, control=True),
    "two-plain": Row("two plain trees", two_plain_trees, control=True),
    "random": Row("copies at random", random_clusters, control=True),
    "counts": Row("the paper's counts", lambda bench: bench.of(PAPER, "both")),
    "tied": Row(
        "counts, ties by scores", lambda bench: bench.of(replace(PAPER, method="tied-counts"), "both")
    ),
    "two-ours": Row("two disentangled trees", two_disentangled_trees),
    **{
        f"max-{n}": Row(
            f"at most {n} clusters",
            lambda bench, n=n: bench.of(replace(WINNER, max_clusters_per_label=n)),
            grid=True,
        )
        for n in (2, 3, 6)
    },
    **{f"rounds-{n}": Row(f"{n} round{'s' * (n > 1)}", rounds(n), grid=True) for n in (1, 2, 3)},
}
