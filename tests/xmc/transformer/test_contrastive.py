import numpy as np
import pytest
import scipy.sparse as sp

from larix.xmc.matrix import unit_rows
from larix.xmc.transformer.contrastive import ContrastiveParams, contrastive_loss, learn_projection
from larix.xmc.transformer.contrastive_pairs import ContrastiveBatch

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")

N, L, d = 400, 25, 8


@pytest.fixture(scope="module")
def data():
    """Documents that are their label's name in half of the dimensions, and noise in the other half."""
    rng = np.random.default_rng(0)
    names = rng.normal(size=(L, d)).astype(np.float32)
    own = rng.integers(0, L, N)
    E = names[own].copy()
    E[:, d // 2 :] = rng.normal(size=(N, d // 2)) * 2
    Y = sp.csr_array((np.ones(N, np.float32), (np.arange(N), own)), shape=(N, L))
    return unit_rows(E), Y, unit_rows(names), own


def test_documents_come_near_the_names_of_their_labels(data):
    E, Y, names, own = data

    def hits(A):
        cosines = unit_rows(E[200:] @ A.T) @ unit_rows(names @ A.T).T
        return np.mean(cosines.argmax(axis=1) == own[200:])

    A = learn_projection(E[:200], Y[:200], names, ContrastiveParams(epochs=40, learning_rate=0.02))
    assert A.dtype == np.float32
    assert hits(A) > hits(np.eye(d, dtype=np.float32)) + 0.3


def test_a_seed_gives_the_same_map_with_any_number_of_threads(data):
    E, Y, names, _ = data
    params = ContrastiveParams(epochs=2, batch_size=64)
    one = learn_projection(E, Y, names, params, random_state=3, n_threads=1)
    np.testing.assert_array_equal(one, learn_projection(E, Y, names, params, random_state=3, n_threads=1))
    np.testing.assert_allclose(
        one, learn_projection(E, Y, names, params, random_state=3, n_threads=2), atol=1e-4
    )
    assert not np.allclose(one, learn_projection(E, Y, names, params, random_state=4), atol=1e-4)


def test_the_loss_is_that_of_the_formula(data):
    E, _, names, _ = data
    A = np.random.default_rng(1).normal(size=(d, d)).astype(np.float32)
    positive, left_out = np.array([2, 0]), np.zeros((2, 5), bool)
    left_out[0, 4] = True
    batch = ContrastiveBatch(np.arange(2), np.arange(5), positive, left_out)
    tensors = (torch.from_numpy(array) for array in (A, E[:2], names[:5]))
    found = contrastive_loss(*tensors, batch, temperature=0.2)
    terms = []
    for i in range(2):
        cosines = unit_rows(E[[i]] @ A.T) @ unit_rows(names[:5] @ A.T).T
        shares = np.exp(cosines[0] / 0.2)
        terms.append(-np.log(shares[positive[i]] / shares[~left_out[i]].sum()))
    assert float(found) == pytest.approx(np.mean(terms), rel=1e-5)


def test_other_labels_of_a_document_are_no_negatives(data):
    """With all labels on every document there is nothing to tell apart, and the map stays."""
    E, _, names, _ = data
    everything = sp.csr_array(np.ones((N, L), np.float32))
    A = learn_projection(E, everything, names)
    np.testing.assert_array_equal(A, np.eye(d, dtype=np.float32))


def test_texts_that_are_names_and_labels_without_names_teach_nothing(data):
    _, Y, names, own = data
    identity = np.eye(d, dtype=np.float32)
    np.testing.assert_array_equal(learn_projection(names[own], Y, names), identity)
    np.testing.assert_array_equal(learn_projection(data[0], Y, np.zeros_like(names)), identity)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 0}, "epochs must be positive, but is 0"),
        ({"temperature": -1}, "temperature must be positive, but is -1"),
        ({"n_negatives": 17}, r"n_negatives must lie in 0\.\.16, the mined, but is 17"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ContrastiveParams(**params)
