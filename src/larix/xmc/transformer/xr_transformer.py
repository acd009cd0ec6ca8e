"""XR-Transformer: an encoder that is fine-tuned level by level down a label tree.

Zhang, Chang, Yu, Dhillon: Fast multi-resolution transformer fine-tuning for extreme multi-label text
classification. NeurIPS 2021, section 3. From one level to the next the encoder stays; the head of a level
begins as a linear model on the embeddings, with its parents' weights, or at random. Embeddings are scaled to
unit length, as they are when they are joined to text features afterwards. What is left out: concatenated
features between the levels, and ensembles of several encoders.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice, per_level
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams, train_level
from larix.xmc.negative_sampling import asks_for, sample_negatives
from larix.xmc.sparse import CSR, binarize, check_csr
from larix.xmc.transformer.candidate_head import CandidateHead
from larix.xmc.transformer.candidates import CandidateSampler
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.head_search import search_level
from larix.xmc.transformer.level_training import LevelTrainer, LevelTrainingParams
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.workers import ONE_WORKER, Workers

Start = Literal["linear", "inherit", "fresh"]
MatcherNegatives = Literal["tfn", "man", "tfn+man"]


@dataclass(frozen=True)
class XRTransformerParams:
    """How levels follow each other.

    Parameters
    ----------
    training : LevelTrainingParams, or one for each level
        No steps leave the encoder as it is on a level.
    joint : bool
        Every step trains all levels, each with as much weight as it has candidates, and heads begin on the
        encoder as it was; otherwise levels follow each other, and the heads of upper ones are left behind.
    trained_layers : int or None
        Of the encoder, the last ones, or all if it has fewer; None trains the embeddings of tokens, too.
    max_clusters : int
        Levels with more nodes take no part.
    negatives : {"tfn", "man", "tfn+man"}
        Candidates are the children of the true parents, of those that the level above found, or of both.
    max_candidates : int
        Most candidates of a text.
    beam_size : int
        Nodes that a level finds.
    start : {"linear", "inherit", "fresh"}
        The head begins as a linear model on the embeddings, with its parents' weights (random ones at the
        first level), or at random.
    solver : SolverParams
        Of that linear model; its bias is 1 and its threshold 0.
    """

    training: LevelTrainingParams | tuple[LevelTrainingParams, ...] = field(
        default_factory=LevelTrainingParams
    )
    joint: bool = False
    trained_layers: int | None = None
    max_clusters: int = 32768
    negatives: MatcherNegatives = "tfn"
    max_candidates: int = 500
    beam_size: int = 20
    start: Start = "linear"
    solver: SolverParams = field(default_factory=lambda: SolverParams(Cp=4.0))

    def __post_init__(self) -> None:
        check_choice("negatives", self.negatives, get_args(MatcherNegatives))
        check_choice("start", self.start, get_args(Start))
        for name in ("max_clusters", "max_candidates", "beam_size", "trained_layers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, but is {value}")
        if self.joint and isinstance(self.training, tuple) and len(set(self.training)) > 1:
            raise ValueError(
                "training must be the same for levels that are trained together, but differs; give one value "
                "of each, or train one level after another (joint: false)"
            )

    def n_levels(self, tree: LabelTree) -> int:
        """Levels of a tree that take part.

        Raises
        ------
        ValueError
            If none does.
        """
        n = sum(tree.n_nodes(level) <= self.max_clusters for level in range(tree.depth))
        if not n:
            raise ValueError(
                f"max_clusters must allow a level, but is {self.max_clusters} and the first level has "
                f"{tree.n_nodes(0)} nodes"
            )
        return n


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What fine-tuning leaves.

    Attributes
    ----------
    encoder : TrainableEncoder
    heads : list of CandidateHead
        Of the levels that took part. Unless these were trained together, all but the last belong to an
        encoder that has changed since.
    losses : list of lists of float
        Of each level's steps, or of the steps of all levels together.
    """

    encoder: TrainableEncoder
    heads: list[CandidateHead]
    losses: list[list[float]]

    def predict(self, E: NDArray[np.float32], tree: LabelTree, *, beam_size: int = 20) -> list[CSR]:
        """Nodes that are found on each level for embeddings (n x d), with the values of their paths."""
        found: list[CSR] = []
        for level, head in enumerate(self.heads):
            above = found[-1] if found else None
            found.append(search_level(E, head.to_arrays(), tree, level, above, beam_size))
        return found


def fine_tune_levels(
    encoder: SentenceEncoder,
    texts: Sequence[str],
    Y: Any,
    tree: LabelTree,
    params: XRTransformerParams = XRTransformerParams(),
    *,
    checkpoint_folder: Path | str | None = None,
    checkpoint_steps: int = 100,
    random_state: int = 0,
    n_threads: int | None = None,
    workers: Workers = ONE_WORKER,
    watch: Callable[[FineTuned, int], None] | None = None,
) -> FineTuned:
    """Fine-tune an encoder on all levels that take part.

    Parameters
    ----------
    encoder : SentenceEncoder
        Where training begins.
    texts : sequence of str, length N
    Y : matrix, N x L
    tree : LabelTree
    params : XRTransformerParams
    checkpoint_folder : path-like, optional
        Holds a checkpoint of every level, from which a run that was cut short goes on; those of another
        training are deleted.
    checkpoint_steps : int
        Steps from one checkpoint of a level to the next.
    random_state : int
    n_threads : int or None
    workers : Workers
        Who shares the work. All of them call this function with the same arguments.
    watch : callable, optional
        Is given what there is, and the number of steps done of a training, before the first and after each.

    Returns
    -------
    FineTuned
    """
    Y = binarize(check_csr(Y, name="Y", n_rows=len(texts), n_columns=tree.n_labels))
    trainings = per_level(params.training, params.n_levels(tree), "training")
    trainable = TrainableEncoder(encoder, trained_layers=params.trained_layers)
    workers.spread(trainable.model.state_dict().values())
    tokens = trainable.tokens(list(texts), workers=workers)
    levels = _Levels(trainable, tokens, tree, Y, params, random_state, n_threads, workers)
    tuned = FineTuned(trainable, [], [])
    own_folder = None if checkpoint_folder is None else _own_folder(Path(checkpoint_folder), levels)
    every = list(range(len(trainings)))
    found: CSR | None = None
    E: NDArray[np.float32] | None = None  # None while it isn't known of the encoder as it is
    for group in [every] if params.joint else [[level] for level in every]:
        checkpoint = own_folder and own_folder / f"level_{group[0]}"
        begun = workers.total(checkpoint is not None and checkpoint.exists()) > 0
        if E is None and levels.needs_embeddings(begun):
            E = levels.embeddings(texts, changed=any(tuned.losses))
        heads = []
        for level in group:
            above = tuned.heads[-1] if tuned.heads else None
            if above is not None and E is not None and asks_for("man", params.negatives):
                found = search_level(E, above.to_arrays(), tree, level - 1, found, params.beam_size)
            sampler = levels.sampler(level, found)
            tuned.heads.append(levels.start(sampler, None if begun else E, above))
            heads.append((tuned.heads[-1], sampler))
        trainer = LevelTrainer(
            trainable, heads, levels.tokens, trainings[group[0]],
            random_state=random_state + group[0], n_threads=n_threads, workers=workers,
        )  # fmt: skip
        trainer.run(
            checkpoint=checkpoint, checkpoint_steps=checkpoint_steps, watch=watch and partial(watch, tuned)
        )
        tuned.losses.append(trainer.losses)
        E = None if trainer.losses else E
    return tuned


def _own_folder(folder: Path, levels: "_Levels") -> Path:
    """A folder for this training within `folder`, which is rid of those of other trainings."""
    own = folder / levels.digest
    others = folder.glob("[0-9a-f]" * len(levels.digest)) if levels.workers.is_first else ()
    for other in others:
        if other != own:
            shutil.rmtree(other)
    return own


@dataclass(frozen=True, eq=False)
class _Levels:
    """What the levels have in common."""

    encoder: TrainableEncoder
    tokens: TokenIds
    tree: LabelTree
    Y: CSR
    params: XRTransformerParams
    random_state: int
    n_threads: int | None
    workers: Workers

    @property
    def digest(self) -> str:
        """Of all that the training depends on."""
        plain = [self.encoder.origin.digest, asdict(self.params), self.random_state, self.tree.n_labels]
        arrays = (
            self.tokens.ids, self.tokens.ends, self.Y.indptr, self.Y.indices,
            *self.tree.offsets, self.tree.slot_label,
        )  # fmt: skip
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:32]

    def needs_embeddings(self, begun: bool) -> bool:
        """Whether a level needs vectors of the texts; one that was begun has its head already."""
        return asks_for("man", self.params.negatives) or (self.params.start == "linear" and not begun)

    def sampler(self, level: int, found: CSR | None) -> CandidateSampler:
        """Candidates of a level, whose parents were `found`."""
        relevance = self.tree.node_relevance(self.tree.slots_of_labels(self.Y))
        if level == 0:
            parents = check_csr(np.ones((self.Y.shape[0], 1)))
        else:
            parents = sample_negatives(self.params.negatives, binarize(relevance[level - 1]), found)
        return CandidateSampler(self.tree, level, parents, relevance[level], self.params.max_candidates)

    def embeddings(self, texts: Sequence[str], *, changed: bool) -> NDArray[np.float32]:
        """Vectors of the texts by the encoder as it is, N x d; before it has changed, those that are kept."""
        if changed:
            return self.encoder.embed(self.tokens, workers=self.workers)
        E, share = np.zeros((len(texts), self.encoder.origin.dimension), np.float32), self.workers.share
        E[share] = self.encoder.origin.embed(texts[share])
        self.workers.add(E)
        return E

    def start(
        self, sampler: CandidateSampler, E: NDArray[np.float32] | None, above: CandidateHead | None
    ) -> CandidateHead:
        """The head that a level begins with; with embeddings the first worker learns a linear one."""
        if self.params.start == "inherit" and above is not None:
            return above.inherited(self.tree, sampler.level)
        if self.params.start == "linear" and E is not None and self.workers.is_first:
            head = self._linear(sampler, E)
        else:
            rng = np.random.default_rng([self.random_state, sampler.level])
            dimension, device = self.encoder.origin.dimension, self.encoder.model.device
            head = CandidateHead.fresh(sampler.n_nodes, dimension, rng, device=device)
        self.workers.spread(head.parameters)
        return head

    def _linear(self, sampler: CandidateSampler, E: NDArray[np.float32]) -> CandidateHead:
        """One-vs-rest models on the embeddings, over the instances that take part."""
        solver = replace(self.params.solver, bias=1.0, threshold=0.0)
        offsets = self.tree.offsets[sampler.level]
        weights = train_level(
            check_csr(E), binarize(sampler.relevance), binarize(sampler.parents), offsets, solver,
            random_state=self.random_state, n_threads=self.n_threads, description="linear start of the head",
        ).to_csc()  # fmt: skip
        dense = np.asarray(weights.toarray(), np.float32).T
        return CandidateHead.of(dense[:, :-1], dense[:, -1], device=self.encoder.model.device)
