import numpy as np
import pytest
from scipy.sparse import csr_array

from larix.xmc.ranked_scores import RankedScores


def test_scores_fall_and_truth_follows_them():
    P = csr_array(np.array([[0.2, 0.9, 0.4], [0, 0, 0], [0.5, 0, 0]], np.float32))
    Y = csr_array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    ranked = RankedScores.of(P, Y)
    np.testing.assert_allclose(
        ranked.scores, [[0.9, 0.4, 0.2], [-np.inf] * 3, [0.5, -np.inf, -np.inf]], rtol=1e-6
    )
    assert ranked.correct.tolist() == [[True, False, True], [False] * 3, [False] * 3]
    assert ranked.present.tolist() == [[True] * 3, [False] * 3, [True, False, False]]
    assert ranked.n_true.tolist() == [2, 1, 1]


def test_stored_zeros_are_predictions_but_no_labels():
    P = csr_array((np.array([0.0], np.float32), [1], [0, 1]), shape=(1, 3))
    ranked = RankedScores.of(P, P)
    assert ranked.present.tolist() == [[True]]
    assert ranked.n_true.tolist() == [0]
    assert not ranked.correct.any()


def test_no_documents_are_an_error():
    with pytest.raises(ValueError, match="need at least one document"):
        RankedScores.of(csr_array((0, 3)), csr_array((0, 3)))
