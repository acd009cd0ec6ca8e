"""The linear path on a part of the training documents: every stage as in a run, each product kept.

What a run does with held-out documents of its own (whether a round of disentanglement is kept, how much the
memory's votes count), a trial does with the validation documents.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.disentanglement.nodes import find_beams
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.disentanglement.rounds_made import train_reassigned
from larix.pipelines.label_indexing.nodes import embed_texts, grow_tree, represent
from larix.pipelines.matcher_training.nodes import train_matcher
from larix.pipelines.ranking.nodes import score_train_clusters, train_ranker
from larix.pipelines.tuning.linear_settings import LinearSettings
from larix.pipelines.tuning.params import ValidationParams
from larix.pipelines.vectorization.nodes import fit_features, vectorize_test
from larix.tuning.product_store import Product, ProductStore
from larix.xmc.label_tree import LabelTree
from larix.xmc.negative_sampling import asks_for
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)

_FEW = 100


@dataclass(frozen=True, eq=False)
class Split:
    """Training documents, of which some are there to measure trials on.

    Parameters
    ----------
    corpus : Corpus
        Its test documents are the validation documents.
    key : str
        Equal for equal documents.
    """

    corpus: Corpus
    key: str

    @classmethod
    def of(cls, corpus: Corpus, params: ValidationParams, random_state: int) -> "Split":
        """Hold validation documents out of the training documents; test documents are left out.

        They are drawn evenly, so that labels which the other documents lack are among theirs as often as
        labels unseen in training are among those of new documents.

        Raises
        ------
        ValueError
            If that leaves nothing to train on or to validate.
        """
        n = len(corpus.train)
        n_held = min(round(params.share * n), params.max_documents)
        if not 0 < n_held < n:
            raise ValueError(
                f"a study needs documents to train on and others to validate, but {n_held} of {n} are held "
                "out; change tuning.validation.share"
            )
        if n_held < _FEW:
            logger.warning("only %d documents to validate trials on: differences say little", n_held)
        order = np.random.default_rng(random_state).permutation(n)
        held, others = np.sort(order[:n_held]), np.sort(order[n_held:])
        part = replace(corpus, train=corpus.train.take(others), test=corpus.train.take(held))
        return cls(part, _digest(part))


@dataclass(frozen=True, eq=False)
class Trained:
    """A model of the linear path, before it is told how to search.

    Parameters
    ----------
    features : Product
        `text_features`, `train_instances` and `validation_instances`.
    models : tuple of XRLinear
        The plain tree's, and one for every round of disentanglement.
    made : tuple of str
        Stages that had to be trained.
    """

    features: Product
    models: tuple[XRLinear, ...]
    made: tuple[str, ...]


class LinearPath:
    """Trains by settings, and makes nothing that is there.

    Parameters
    ----------
    split : Split
    store : ProductStore
    random_state : int
    n_threads : int or None
    """

    def __init__(self, split: Split, store: ProductStore, random_state: int, n_threads: int | None) -> None:
        self.split, self.store = split, store
        self.random_state, self.n_threads = random_state, n_threads
        self.Y, self.Y_validation = split.corpus.train.labels, split.corpus.test.labels
        self._joined: tuple[tuple[str, ...], tuple[XRLinear, ...]] = ((), ())

    def train(self, settings: LinearSettings) -> Trained:
        """The models of these settings."""
        features = self._features(settings)
        tree = self._tree(settings, features)
        stages = list(self._stages(settings, features, tree))
        made = tuple(name for name, product in (("tree", tree), *stages) if product.made)
        keys = tuple(product.key for _, product in stages)
        if self._joined[0] != keys:
            pairs = [product for name, product in stages if name != "matcher"]
            (_, matcher), *_ = stages
            models = tuple(
                XRLinear.from_stages(pair.parts.get("matcher", matcher["matcher"]), pair["ranker"])
                for pair in pairs
            )
            self._joined = keys, models
        return Trained(features, self._joined[1], made)

    def _features(self, settings: LinearSettings) -> Product:
        corpus, params = self.split.corpus, settings.vectorization
        gives_texts = corpus.train.texts is not None
        matters = (params.word, params.char) if gives_texts else params.normalize_given

        def make() -> dict[str, Any]:
            fitted, train = fit_features(corpus, params, self.n_threads)
            return {
                "text_features": fitted,
                "train_instances": train,
                "validation_instances": vectorize_test(fitted, corpus),
            }

        return self.store.get("features", {"documents": self.split.key, "params": matters}, make)

    def _tree(self, settings: LinearSettings, features: Product) -> Product:
        params, seed, n_threads = settings.label_indexing, self.random_state, self.n_threads
        X, Y, of_labels = features["train_instances"], self.Y, params.representation
        text = params.label_text if of_labels.needs_text else None

        def describe() -> dict[str, Any]:
            texts = embed_texts(self.split.corpus, features["text_features"], params, n_threads)
            return {"representation": represent(X, Y, texts, params, seed, n_threads)}

        shown = {"features": features, "params": of_labels, "text": text, "seed": seed}
        described = self.store.get("representation", shown, describe)

        def grow() -> dict[str, Any]:
            return {"tree": grow_tree(described["representation"], Y, params, seed, n_threads)}

        return self.store.get(
            "tree", {"representation": described, "params": params.clustering, "seed": seed}, grow
        )

    def _stages(
        self, settings: LinearSettings, features: Product, grown: Product
    ) -> Iterator[tuple[str, Product]]:
        """Matcher, ranker, and a product for every round."""
        X, Y, R, tree = features["train_instances"], self.Y, self.split.corpus.train.rejected, grown["tree"]
        seed, n_threads = self.random_state, self.n_threads
        shared = {"features": features, "tree": grown, "seed": seed}
        matching, ranking = settings.matcher_training, settings.ranking

        def match() -> dict[str, Any]:
            return {"matcher": train_matcher(X, Y, tree, matching, seed, n_threads, R)}

        matcher = self.store.get("matcher", {**shared, "params": matching}, match)
        yield "matcher", matcher

        def rank() -> dict[str, Any]:
            clusters = score_train_clusters(matcher["matcher"], X, tree, ranking)
            return {"ranker": train_ranker(X, Y, tree, clusters, ranking, seed, n_threads, R)}

        led = matcher if asks_for("man", ranking.negatives) else None
        ranker = self.store.get("ranker", {**shared, "params": ranking, "matcher": led}, rank)
        yield "ranker", ranker
        yield from self._rounds(settings, X, R, grown, matcher, ranker)

    def _rounds(
        self, settings: LinearSettings, X: CSR, R: CSR, grown: Product, matcher: Product, ranker: Product
    ) -> Iterator[tuple[str, Product]]:
        params = settings.disentanglement
        n_rounds = 0 if params.reassignment.changes_nothing else settings.disentanglement_rounds
        if params.retrain == "ranker":  # a second round would see the same beams
            n_rounds = min(n_rounds, 1)
        for n in range(1, n_rounds + 1):
            product = self._round(n, params, X, R, grown["tree"], matcher, ranker)
            yield f"round {n}", product
            matcher, ranker = (product if "matcher" in product.parts else matcher), product

    def _round(
        self, n: int, params: RoundParams, X: CSR, R: CSR, tree: LabelTree, matcher: Product, ranker: Product
    ) -> Product:
        """The ranker of the reassigned tree, and its matcher if that is trained again."""
        Y, seed, wanted = self.Y, self.random_state, params.reassignment

        def look() -> dict[str, Any]:
            still_open = {"round": 0, "metrics": {}}
            return {"beams": find_beams(X, Y, matcher["matcher"], tree, still_open, params, seed, R)}

        looked = (wanted.beam_size, wanted.n_folds, wanted.positives)
        beams = self.store.get("beams", {"matcher": matcher, "params": looked, "seed": seed}, look)

        def reassign() -> dict[str, Any]:
            stages = matcher["matcher"], ranker["ranker"], beams["beams"]
            _, matched, ranked = train_reassigned(X, Y, tree, *stages, params, self.n_threads, R)
            return {"ranker": ranked} | ({"matcher": matched} if params.retrain == "both" else {})

        made_of = {"matcher": matcher, "ranker": ranker, "beams": beams}
        return self.store.get(
            f"round_{n}", {**made_of, "params": wanted, "retrain": params.retrain}, reassign
        )


def _digest(corpus: Corpus) -> str:
    """SHA-256 over all that trials see of documents and labels."""
    digest = hashlib.sha256()
    for part in (corpus.train, corpus.test):
        for text in part.texts or ():
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        for matrix in (part.labels, part.features, part.rejected):
            for array in () if matrix is None else (matrix.data, matrix.indices, matrix.indptr):
                digest.update(_bytes(array))
    for text in (*corpus.label_names, *(corpus.label_texts or ())):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:24]


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()
