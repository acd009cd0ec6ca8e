"""What is done to a model's scores before anyone sees them, in a fixed order.

1. The nearest training documents vote (`document_memory`).
2. Rare labels are raised by their inverse propensities (`propensity_reranking`).
3. Scores become probabilities (`calibration`).
4. Of what is left, labels above a threshold are shown (`conformal`).

Each part may lack. What a part learns from held-out documents, it must learn from scores that the parts
before it have refined; `rank` gives these.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from larix.xmc.calibration import IsotonicCalibrator
from larix.xmc.conformal import ConformalThreshold, above
from larix.xmc.document_memory import DocumentMemory
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.matrix import leading_columns
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.propensity_reranking import rerank_by_propensity
from larix.xmc.sparse import CSR, check_csr


class Model(Protocol):
    """What is refined."""

    @property
    def n_features_in_(self) -> int:
        """D, the columns of a row."""

    def predict(self, X: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Scores of the best labels, N x L."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """The parts beside a model.

    Parameters
    ----------
    memory : DocumentMemory, optional
        Of the training documents, over the same features and labels.
    alpha : float
        How much inverse propensities count; 0 not at all.
    frequencies : LabelFrequencies, optional
        Of the labels in training; needed for `alpha`.
    calibrator : IsotonicCalibrator, optional
    threshold : ConformalThreshold, optional
    n_candidates : int
        Labels asked of the model for each document, if more than are wanted, so that there is something to
        raise.
    """

    memory: DocumentMemory | None = None
    alpha: float = 0.0
    frequencies: LabelFrequencies | None = None
    calibrator: IsotonicCalibrator | None = None
    threshold: ConformalThreshold | None = None
    n_candidates: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < np.inf:
            raise ValueError(f"alpha must be at least 0 and finite, but is {self.alpha}")
        if self.alpha and self.frequencies is None:
            raise ValueError(f"alpha = {self.alpha} needs the labels' training frequencies; pass frequencies")
        if self.n_candidates < 1:
            raise ValueError(f"n_candidates must be at least 1, but is {self.n_candidates}")

    @property
    def reranks(self) -> bool:
        """Whether labels may change places."""
        return self.memory is not None or self.alpha > 0

    def predict(self, model: Model, X: Any, *, top_k: int, beam_size: int | None = None) -> CSR:
        """Refined scores of the best labels.

        Parameters
        ----------
        model : Model
        X : matrix, N x D
            There may be further columns, which the memory alone reads.
        top_k : int
        beam_size : int, optional
            Instead of the model's own.

        Returns
        -------
        csr_array, N x L
            `top_k` entries a row by descending score; the threshold is not applied.
        """
        ranked = self.rank(model, X, top_k=top_k, beam_size=beam_size)
        return ranked if self.calibrator is None else self.calibrator.transform(ranked)

    def rank(self, model: Model, X: Any, *, top_k: int, beam_size: int | None = None) -> CSR:
        """Scores with votes and propensities, before calibration, as in `predict`."""
        n_candidates = max(top_k, self.n_candidates) if self.reranks else top_k
        own = leading_columns(X, model.n_features_in_)
        P = model.predict(own, top_k=n_candidates, beam_size=beam_size)
        if self.memory is not None:
            P = self.memory.blend(P, X, top_k=n_candidates if self.alpha else top_k)
        if self.alpha and self.frequencies is not None:
            P = rerank_by_propensity(P, self.frequencies, self.alpha, top_k=top_k)
        return P

    def shown(self, P: CSR, threshold: float | None = None) -> CSR:
        """The refined predictions that reach a threshold, or else the own one; all if there is none."""
        if threshold is not None:
            return above(P, threshold)
        return P if self.threshold is None else self.threshold.transform(P)

    def learn(
        self,
        P: CSR,
        Y: CSR,
        *,
        calibrator: IsotonicCalibrator | None = None,
        threshold: ConformalThreshold | None = None,
    ) -> "Refinement":
        """This refinement with a calibrator and a threshold fitted to held-out documents.

        Parameters
        ----------
        P : csr_array, N x L
            What `rank` gives for the held-out documents with a model and a memory that don't know them.
        Y : csr_array, N x L
            Their labels.
        calibrator, threshold : optional
            To be fitted. If both are given the threshold is fitted to the second half of the documents, so
            that its guarantee doesn't suffer from what the calibrator has seen.
        """
        P, Y = check_csr(P, name="P"), check_csr(Y, name="Y", n_rows=P.shape[0])
        seen = P.shape[0] // 2 if calibrator is not None and threshold is not None else 0
        if calibrator is not None:
            calibrator = calibrator.fit(P[: seen or None], Y[: seen or None])
        if threshold is not None:
            scores = P if calibrator is None else calibrator.transform(P)
            threshold = threshold.fit(scores[seen:], Y[seen:])
        return replace(self, calibrator=calibrator, threshold=threshold)

    def save(self, path: Path | str) -> None:
        """Write the parts as one folder."""
        parts = {"memory": self.memory, "calibrator": self.calibrator, "threshold": self.threshold}
        arrays = {} if self.frequencies is None else {"label_counts": self.frequencies.counts}
        n_documents = None if self.frequencies is None else self.frequencies.n_documents
        save_folder(
            path,
            kind="Refinement",
            metadata={"alpha": self.alpha, "n_candidates": self.n_candidates, "n_documents": n_documents},
            arrays=arrays,
            children={name: part.save for name, part in parts.items() if part is not None},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read what `save` wrote."""
        folder = load_folder(path, kind="Refinement", verify=verify)
        kinds: dict[str, Any] = {
            "memory": DocumentMemory,
            "calibrator": IsotonicCalibrator,
            "threshold": ConformalThreshold,
        }
        parts = {name: kinds[name].load(folder.child(name).path, verify=False) for name in folder.children}
        if folder.metadata["n_documents"] is not None:
            counts = np.asarray(folder.arrays["label_counts"])
            parts["frequencies"] = LabelFrequencies(counts, folder.metadata["n_documents"])
        return cls(alpha=folder.metadata["alpha"], n_candidates=folder.metadata["n_candidates"], **parts)
