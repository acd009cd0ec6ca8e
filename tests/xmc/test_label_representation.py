"""What clustering sees of a label: by hand, against scipy, and what must not change it."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc import label_representation
from larix.xmc.label_representation import RepresentationParams, represent_labels
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents

X = check_csr(np.array([[1, 0], [0, 1]]))
Y = check_csr(np.array([[1, 1, 0], [0, 1, 0]]))
METHODS = ["pifa", "pii", "pifa_lf_concat", "label_text", "graph_spectrum"]
TEXT = np.array([[0, 2], [3, 0], [0, 1]], np.float32)


def dense(Z):
    return Z if isinstance(Z, np.ndarray) else Z.toarray()


def unit(Z):
    norms = np.linalg.norm(Z, axis=1, keepdims=True)
    return Z / np.where(norms > 0, norms, 1)


@pytest.mark.parametrize(
    ("representation", "expected"),
    [
        # rows of Y of unit length are (.7, .7) and (0, 1), so label 1 is .7 x_0 + 1 x_1
        ("pifa", [[1, 0], [np.sqrt(1 / 3), np.sqrt(2 / 3)], [0, 0]]),
        (RepresentationParams(instance_weights="equal"), [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)], [0, 0]]),
        ("pii", [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)], [0, 0]]),
        ("label_text", [[0, 1], [1, 0], [0, 1]]),
        (
            "pifa_lf_concat",
            [
                [np.sqrt(0.5), 0, 0, np.sqrt(0.5)],
                [np.sqrt(1 / 6), np.sqrt(1 / 3), np.sqrt(0.5), 0],
                [0, 0, 0, 1],
            ],
        ),
        (
            RepresentationParams("pifa_lf_convex_combine", text_weight=0.25),
            unit(np.array([[0.75, 0.25], [0.25 + 0.75 * np.sqrt(1 / 3), 0.75 * np.sqrt(2 / 3)], [0, 1]])),
        ),
        (  # labels of 1, 2 and 0 instances lean on their text by 1/2, 1/3 and 1
            RepresentationParams("pifa_lf_convex_combine", text_support=1.0),
            unit(np.array([[0.5, 0.5], [1 / 3 + 2 / 3 * np.sqrt(1 / 3), 2 / 3 * np.sqrt(2 / 3)], [0, 1]])),
        ),
    ],
)
def test_by_hand(representation, expected):
    Z = represent_labels(X, Y, representation, label_features=TEXT)
    np.testing.assert_allclose(dense(Z), expected, atol=1e-6)


def test_relevance_weighs_instances():
    weighted = check_csr(np.array([[3, 4, 0], [0, 2, 0]]))  # rows of unit length: (.6, .8), (0, 1)
    Z = represent_labels(X, weighted, RepresentationParams(instance_weights="relevance"))
    np.testing.assert_allclose(Z.toarray(), unit(np.array([[1, 0], [0.8, 1], [0, 0]])), atol=1e-6)
    np.testing.assert_allclose(
        represent_labels(X, weighted).toarray(), represent_labels(X, Y).toarray(), atol=1e-6
    )


def test_idf_weighs_features_that_few_labels_have():
    X, Y = check_csr(np.array([[1, 1], [1, 0]])), check_csr(np.eye(2))
    Z = represent_labels(X, Y, RepresentationParams(feature_weights="idf"))
    idf = np.log(3 / np.array([3, 2])) + 1
    np.testing.assert_allclose(Z.toarray(), unit(np.array([[1, 1], [1, 0]]) * idf), atol=1e-6)


def test_weights_of_texts_may_be_given_for_every_label():
    Z = represent_labels(
        X, Y, "pifa_lf_convex_combine", label_features=TEXT, text_weights=np.array([1.0, 0.0, 0.5])
    )
    np.testing.assert_allclose(
        dense(Z), [[0, 1], [np.sqrt(1 / 3), np.sqrt(2 / 3)], [0, 1]], atol=1e-6
    )  # the text's, pifa's, and the text's for want of instances


@given(seed=st.integers(0, 1000), n_labels=st.integers(1, 30), negative=st.booleans())
@settings(max_examples=30, deadline=None)
def test_pifa_is_a_product_of_matrices(seed, n_labels, negative):
    rng = np.random.default_rng(seed)
    X = sp.random_array((40, 15), density=0.2, rng=rng).toarray()
    X = np.where(rng.random(X.shape) < 0.5, -X, X) if negative else X  # sums may cancel
    Y = sp.random_array((40, n_labels), density=0.1, rng=rng).toarray() != 0
    counts = np.maximum(Y.sum(1, keepdims=True), 1)
    expected = unit((Y / np.sqrt(counts)).T @ X)
    Z = check_csr(represent_labels(check_csr(X), check_csr(Y)))
    np.testing.assert_allclose(Z.toarray(), expected, atol=2e-6)


def test_features_that_cancel_are_stored_once():
    X = check_csr(np.array([[1, 1], [-1, 1], [1, 1]]))
    Z = represent_labels(X, check_csr(np.ones((3, 1))))
    assert Z.indices.tolist() == [0, 1]
    np.testing.assert_allclose(Z.toarray(), unit(np.array([[1, 3]])), atol=1e-6)


def test_bytes_do_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(label_representation, "_LABELS_PER_JOB", 7)
    X, Y = documents(200, 50, 60)
    results = [represent_labels(X, Y, n_threads=n) for n in (1, 2, 5)]
    assert len({Z.data.tobytes() + Z.indices.tobytes() + Z.indptr.tobytes() for Z in results}) == 1


@pytest.mark.parametrize(
    "representation",
    [
        "pifa",
        "pii",
        "pifa_lf_concat",
        "label_text",
        "graph_spectrum",
        RepresentationParams(feature_weights="idf"),
    ],
)
def test_rows_are_of_unit_length_and_scale_does_not_matter(representation):
    X, Y = documents(120, 40, 20)
    text = np.random.default_rng(0).random((20, 5))
    Z = dense(represent_labels(X, Y, representation, label_features=text))
    np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1, atol=1e-5)
    scaled = dense(represent_labels(X * 2, Y * 3, representation, label_features=text * 4))
    np.testing.assert_allclose(Z, scaled, atol=1e-5)


def test_no_label_gives_no_row():
    assert represent_labels(X, check_csr(sp.csr_array((2, 0)))).shape == (0, 2)


@pytest.mark.parametrize("text", [TEXT, sp.csr_array(TEXT)])
def test_joined_with_text_it_is_sparse_as_pifa_is(text):
    Z = represent_labels(X, Y, "pifa_lf_concat", label_features=text)
    assert isinstance(Z, sp.csr_array)
    assert Z.has_sorted_indices


class Lengths:
    """One's own: a label is the length of its text."""

    def represent(self, X, Y, label_features):  # noqa: ARG002
        return [[1.0, len(row)] for row in label_features]


def test_a_representation_of_ones_own_may_be_an_object_or_a_function():
    Z = represent_labels(X, Y, Lengths(), label_features=TEXT)
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z, unit(np.array([[1, 2]] * 3)), atol=1e-6)
    product = represent_labels(X, Y, lambda X, Y, _: Y.T @ X)
    np.testing.assert_allclose(product.toarray(), unit(np.array([[1, 0], [1, 1], [0, 0]])), atol=1e-6)


def test_one_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"Z must have two dimensions and 3 rows, but its shape is \(2, 2\)"):
        represent_labels(X, Y, lambda *_: np.eye(2))


def test_an_unknown_name_lists_the_choices_and_names_the_nearest():
    with pytest.raises(
        ValueError, match=r"must be one of pifa, pii, .*, but is 'pifas'; did you mean 'pifa'"
    ):
        represent_labels(X, Y, "pifas")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"instance_weights": "equals"}, "instance_weights must be one of .* did you mean 'equal'"),
        ({"feature_weights": "df"}, "feature_weights must be one of equal, idf"),
        ({"text_weight": 1.5}, "text_weight must be from 0 to 1, but is 1.5"),
        ({"text_support": 0}, "text_support must be positive or None, but is 0"),
        ({"n_components": 0}, "n_components must be at least 1, but is 0"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        RepresentationParams(**params)


def test_features_of_texts_must_be_there_and_fit():
    with pytest.raises(ValueError, match="'label_text' needs features of the labels' texts"):
        represent_labels(X, Y, "label_text")
    with pytest.raises(ValueError, match="like the instances' 2, but has 5"):
        represent_labels(X, Y, "pifa_lf_convex_combine", label_features=np.ones((3, 5)))
    with pytest.raises(ValueError, match="label_features must have two dimensions and 3 rows"):
        represent_labels(X, Y, "label_text", label_features=np.ones((2, 5)))
    with pytest.raises(ValueError, match="text_weights must be 3 numbers from 0 to 1"):
        represent_labels(X, Y, "pifa_lf_concat", label_features=TEXT, text_weights=np.ones(2))
