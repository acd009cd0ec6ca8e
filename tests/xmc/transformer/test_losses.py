import numpy as np
import pytest

from larix.xmc.transformer.candidates import Candidates
from larix.xmc.transformer.losses import candidate_loss

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")

FORMULAS = {
    "squared_hinge": lambda ys: max(0.0, 1 - ys) ** 2,
    "hinge": lambda ys: max(0.0, 1 - ys),
    "logistic": lambda ys: np.log1p(np.exp(-ys)),
}


@pytest.fixture
def pairs():
    """Candidates of three rows, one of them without any, and margins."""
    rng = np.random.default_rng(0)
    relevance = np.array([2, 0, 0, 3, 1, 0, 0], np.float32)
    candidates = Candidates(np.array([0, 0, 0, 2, 2, 2, 2]), np.arange(7), relevance, 3)
    return candidates, rng.normal(size=7).astype(np.float32) * 2


@pytest.mark.parametrize("positive_weight", [1.0, 4.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", list(FORMULAS))
def test_losses_are_those_of_a_slow_reference(pairs, loss, weighted, positive_weight):
    candidates, margins = pairs
    means = []
    for row in range(3):
        own = [
            FORMULAS[loss](s if r > 0 else -s) * (positive_weight * (r if weighted else 1) if r > 0 else 1)
            for i, r, s in zip(candidates.rows, candidates.relevance, margins, strict=True)
            if i == row
        ]
        means.append(np.mean(own) if own else 0)
    found = candidate_loss(
        torch.from_numpy(margins), candidates, loss, weighted=weighted, positive_weight=positive_weight
    )
    assert float(found) == pytest.approx(np.mean(means), rel=1e-5)


def test_pairs_beyond_the_margin_have_no_gradient(pairs):
    candidates, _ = pairs
    margins = torch.tensor([2.0, -2.0, 0.0, 2.0, 0.5, -2.0, -2.0], requires_grad=True)
    candidate_loss(margins, candidates, "squared_hinge").backward()
    assert (margins.grad != 0).tolist() == [False, False, True, False, True, False, False]
    assert margins.grad[2] > 0 > margins.grad[4]
