"""The linear head of a level: one weight vector and bias for every node, scored for candidates alone."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.transformer.candidates import Candidates
from larix.xmc.transformer.libraries import import_torch

_FRESH = 0.02  # standard deviation of a new head, that of BERT's layers


@dataclass(frozen=True, eq=False)
class CandidateHead:
    """Weights of K nodes over vectors of length d.

    Parameters
    ----------
    weight : tensor, K x d
    bias : tensor, K x 1
    """

    weight: Any
    bias: Any

    @classmethod
    def of(cls, weight: NDArray[np.float32], bias: NDArray[np.float32], *, device: Any = "cpu") -> Self:
        """A head to be trained that begins with these weights (K x d) and biases (K)."""
        torch = import_torch()
        made = {"dtype": torch.float32, "device": device, "requires_grad": True}
        return cls(torch.tensor(weight, **made), torch.tensor(bias.reshape(-1, 1), **made))

    @classmethod
    def fresh(cls, n_nodes: int, dimension: int, rng: np.random.Generator, *, device: Any = "cpu") -> Self:
        """A head of small random weights."""
        weight = rng.normal(scale=_FRESH, size=(n_nodes, dimension))
        return cls.of(weight.astype(np.float32), np.zeros(n_nodes, np.float32), device=device)

    def inherited(self, tree: LabelTree, level: int) -> "CandidateHead":
        """A head of the level below: every node begins with its parent's weights."""
        parents = tree.parent_of(level)
        arrays = self.to_arrays()
        return CandidateHead.of(arrays["weight"][parents], arrays["bias"][parents], device=self.weight.device)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied to another process as arrays, since that may lack the device."""
        arrays = self.to_arrays()
        return CandidateHead.of, (arrays["weight"], arrays["bias"])

    @property
    def parameters(self) -> list[Any]:
        """What is trained."""
        return [self.weight, self.bias]

    def margins(self, vectors: Any, candidates: Candidates) -> Any:
        """Margins of the candidates of a batch, shape (n_pairs,).

        Parameters
        ----------
        vectors : tensor, B x d
        candidates : Candidates

        Notes
        -----
        Gradients are sparse: a batch changes the rows of its candidates alone. Where every node is a
        candidate of every text, margins are one product of matrices.
        """
        torch = import_torch()
        embedding = torch.nn.functional.embedding
        if len(candidates.nodes) == len(vectors) * len(self.weight):
            every = torch.arange(len(self.weight), device=vectors.device)
            weights, biases = (embedding(every, tensor, sparse=True) for tensor in self.parameters)
            return (vectors @ weights.T + biases.T).flatten()
        rows, nodes = (
            torch.from_numpy(array).to(vectors.device) for array in (candidates.rows, candidates.nodes)
        )
        weights = embedding(nodes, self.weight, sparse=True)
        return (vectors[rows] * weights).sum(-1) + embedding(nodes, self.bias, sparse=True).squeeze(-1)

    def to_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Weights (K x d) and biases (K) as plain arrays."""
        weight, bias = (tensor.detach().cpu().numpy() for tensor in (self.weight, self.bias))
        return {"weight": weight, "bias": bias[:, 0]}
