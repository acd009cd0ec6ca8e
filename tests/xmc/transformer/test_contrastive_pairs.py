import numpy as np
import scipy.sparse as sp

from larix.xmc.matrix import unit_rows
from larix.xmc.transformer.contrastive_pairs import ContrastivePairs

N, L, d = 60, 12, 5


def pairs_of(seed=0, unnamed=()):
    rng = np.random.default_rng(seed)
    E, names = (unit_rows(rng.normal(size=(n, d)).astype(np.float32)) for n in (N, L))
    names[list(unnamed)] = 0
    Y = sp.csr_array((rng.random((N, L)) < 0.3).astype(np.float32))
    return ContrastivePairs.of(E, Y, names, 4), E, Y.toarray() > 0, names


def test_every_document_comes_with_its_rarest_label():
    pairs, _, Y, _ = pairs_of()
    counts = Y.sum(axis=0)
    assert pairs.documents.tolist() == np.flatnonzero(Y.any(axis=1)).tolist()
    for document, label in zip(pairs.documents, pairs.labels, strict=True):
        assert Y[document, label]
        assert counts[label] == counts[Y[document]].min()


def test_mined_labels_are_those_with_the_nearest_names():
    pairs, E, _, names = pairs_of()
    expected = np.argsort(-(E[pairs.documents] @ names.T), axis=1)[:, :4]
    np.testing.assert_array_equal(pairs.mined, expected)


def test_a_batch_has_all_own_labels_and_leaves_out_what_is_no_negative():
    pairs, _, Y, _ = pairs_of(unnamed=[3])
    n_left_out = 0
    for batch in pairs.batches(16, 8, 2, np.random.default_rng(0)):
        own = batch.labels[batch.positive]
        assert Y[batch.documents, own].all()
        expected = Y[np.ix_(batch.documents, batch.labels)] | (batch.labels == 3)
        expected[np.arange(len(own)), batch.positive] = False
        np.testing.assert_array_equal(batch.left_out, expected)
        n_left_out += expected.sum()
        assert 3 not in own
    assert n_left_out > 0


def test_batches_go_through_all_pairs_again_and_again():
    pairs, _, _, _ = pairs_of()
    n = -(-len(pairs) // 16)
    batches = list(pairs.batches(16, 2 * n + 1, 1, np.random.default_rng(0)))
    assert len(batches) == 2 * n + 1
    for epoch in (batches[:n], batches[n : 2 * n]):
        documents = np.concatenate([batch.documents for batch in epoch])
        assert np.sort(documents).tolist() == pairs.documents.tolist()
    assert batches[0].documents.tolist() != batches[n].documents.tolist()
