"""Label representations: what clustering sees of a label.

PECOS (Yu et al., JMLR 2022), section 3.1. From the instances that carry a label: `pifa` and `pii`; from the
graph of labels and instances: `graph_spectrum`; from the label's own text (`larix.xmc.label_text`):
`label_text`, and joined with `pifa` in two ways. Rows are l2-normalised; a label of which nothing is known
has a zero row. Representations of one's own need one method, see `LabelRepresentation`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.aggregation_kernels import WORD, aggregate
from larix.xmc.choice import check_choice
from larix.xmc.graph_spectrum import graph_spectrum
from larix.xmc.matrix import Matrix, add, check_matrix, join_columns, scale_rows, unit_rows
from larix.xmc.parallel import thread_map
from larix.xmc.sparse import CSR, binarize, csr_from_parts, kernel_parts, normalize_rows

Method = Literal["pifa", "pii", "pifa_lf_concat", "pifa_lf_convex_combine", "label_text", "graph_spectrum"]
InstanceWeights = Literal["label_count", "equal", "relevance"]
FeatureWeights = Literal["equal", "idf"]

_LABELS_PER_JOB = 2048


@dataclass(frozen=True)
class RepresentationParams:
    """Which representation, and of what.

    Parameters
    ----------
    method : str
        `pifa`: sum of the label's instances. `pii`: which instances these are. `label_text`: features of the
        label's text. `pifa_lf_concat`: pifa and these side by side. `pifa_lf_convex_combine`: their weighted
        sum, where both have the same features. `graph_spectrum`: place in the graph of labels and instances.
    instance_weights : {"label_count", "equal", "relevance"}
        What an instance counts in pifa: 1 / sqrt of the number of its labels, 1, or its row of Y scaled to
        unit length.
    feature_weights : {"equal", "idf"}
        Multiply features of pifa by ln((1 + L) / (1 + df)) + 1, df the number of labels that have them.
    text_weight : float
        Share of the label's text when joined with pifa, from 0 to 1.
    text_support : float or None
        s: a label of n instances gets the text weight s / (s + n) instead, so that rare labels lean on text.
    n_components : int
        Dimensions of the graph spectrum.
    """

    method: Method = "pifa"
    instance_weights: InstanceWeights = "label_count"
    feature_weights: FeatureWeights = "equal"
    text_weight: float = 0.5
    text_support: float | None = None
    n_components: int = 24

    def __post_init__(self) -> None:
        check_choice("representation", self.method, get_args(Method))
        check_choice("instance_weights", self.instance_weights, get_args(InstanceWeights))
        check_choice("feature_weights", self.feature_weights, get_args(FeatureWeights))
        if not 0 <= self.text_weight <= 1:
            raise ValueError(f"text_weight must be from 0 to 1, but is {self.text_weight}")
        if self.text_support is not None and not self.text_support > 0:
            raise ValueError(f"text_support must be positive or None, but is {self.text_support}")
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, but is {self.n_components}")

    @property
    def needs_text(self) -> bool:
        """Whether features of the labels' texts take part."""
        return self.method in ("label_text", "pifa_lf_concat", "pifa_lf_convex_combine")


class LabelRepresentation(Protocol):
    """A representation of one's own."""

    def represent(self, X: CSR, Y: CSR, label_features: Matrix | None) -> Any:
        """Return one row for every label (column of Y), sparse or dense; rows of any length."""


OwnRepresentation = LabelRepresentation | Callable[[CSR, CSR, Matrix | None], Any]
Representation = Method | RepresentationParams | OwnRepresentation


def represent_labels(
    X: CSR,
    Y: CSR,
    representation: Representation = "pifa",
    *,
    label_features: Any = None,
    text_weights: NDArray[Any] | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> Matrix:
    """Representation Z of every label.

    Parameters
    ----------
    X : csr_array, N x D
        Instances.
    Y : csr_array, N x L
        Labels; their values count with `instance_weights="relevance"` only.
    representation : str, RepresentationParams, LabelRepresentation or callable
        The name of a method, with its parameters, or one's own.
    label_features : matrix, L x d, optional
        Features of the labels' texts (`larix.xmc.label_text`), for the methods that use them.
    text_weights : array, shape (L,), optional
        Weight of every label's text, from 0 to 1, instead of that of the parameters.
    random_state : int
        Seed of the graph spectrum.
    n_threads : int or None
        Results don't depend on it.

    Returns
    -------
    csr_array or float32 array, L x d
        Rows l2-normalised, also those of the combinations.

    Raises
    ------
    ValueError
        For an unknown method, for missing label features, and for shapes that don't fit.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> X, Y = sp.csr_array([[1.0, 0.0], [0.0, 2.0]]), sp.csr_array([[1.0, 0.0], [0.0, 1.0]])
    >>> represent_labels(X, Y).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    n_labels = Y.shape[1]
    if label_features is not None:
        label_features = check_matrix(label_features, name="label_features", n_rows=n_labels)
    if isinstance(representation, str):
        representation = RepresentationParams(method=representation)
    if not isinstance(representation, RepresentationParams):
        own: Any = getattr(representation, "represent", representation)
        return unit_rows(check_matrix(own(X, Y, label_features), name="Z", n_rows=n_labels))
    if representation.needs_text:
        return _with_text(X, Y, representation, label_features, text_weights, n_threads)
    if representation.method == "pii":
        return pii(Y)
    if representation.method == "graph_spectrum":
        return graph_spectrum(binarize(Y), representation.n_components, random_state=random_state)
    return _pifa(X, Y, representation, n_threads)


def pii(Y: CSR) -> CSR:
    """Positive instance indices: rownorm(Y^T) of the pattern of Y, L x N."""
    return normalize_rows(binarize(Y).T.tocsr())


def pifa(X: CSR, weights: CSR, *, n_threads: int | None = None) -> CSR:
    """Positive instance feature aggregation: rownorm(W^T X), L x D, for weights W (N x L) of instances."""
    y_indptr, y_rows, y_weights = kernel_parts(weights.T.tocsr())
    x_indptr, x_indices, x_data = kernel_parts(X)
    labels, instances = (y_indptr, y_rows, y_weights), (x_indptr, x_indices.view(np.uint32), x_data)
    n_labels = weights.shape[1]
    begins = range(0, max(n_labels, 1), _LABELS_PER_JOB)

    def rows(begin: int) -> tuple[NDArray[Any], ...]:
        n_words = -(-X.shape[1] // WORD)
        scratch = [
            np.zeros(n, dtype)
            for n, dtype in ((X.shape[1], np.float32), (n_words, np.uint64), (-(-n_words // WORD), np.uint64))
        ]
        end = min(begin + _LABELS_PER_JOB, n_labels)
        parts: tuple[NDArray[Any], ...] = aggregate(labels, instances, begin, end, *scratch)
        return parts

    ends, indices, data = map(list, zip(*thread_map(rows, begins, n_threads=n_threads), strict=True))
    sizes = np.concatenate([np.diff(own, prepend=0) for own in ends])
    indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    shape = n_labels, X.shape[1]
    return csr_from_parts(_joined(data), _joined(indices).view(np.int32), indptr, shape)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """All of them end to end; each is let go as soon as it is copied."""
    end = sum(map(len, parts))
    whole = np.empty(end, parts[0].dtype)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


def _pifa(X: CSR, Y: CSR, params: RepresentationParams, n_threads: int | None) -> CSR:
    weights = {
        "label_count": lambda: normalize_rows(binarize(Y)),
        "equal": lambda: binarize(Y),
        "relevance": lambda: normalize_rows(Y),
    }[params.instance_weights]()
    Z = pifa(X, weights, n_threads=n_threads)
    return Z if params.feature_weights == "equal" else _weigh_by_idf(Z)


def _weigh_by_idf(Z: CSR) -> CSR:
    df = np.bincount(Z.indices, minlength=Z.shape[1])
    idf = (np.log((1 + Z.shape[0]) / (1 + df)) + 1).astype(np.float32)
    return normalize_rows(csr_from_parts(Z.data * idf[Z.indices], Z.indices, Z.indptr, Z.shape))


def _with_text(
    X: CSR,
    Y: CSR,
    params: RepresentationParams,
    label_features: Matrix | None,
    text_weights: NDArray[Any] | None,
    n_threads: int | None,
) -> Matrix:
    if label_features is None:
        raise ValueError(
            f"the representation {params.method!r} needs features of the labels' texts; pass label_features"
        )
    text = unit_rows(label_features)
    if params.method == "label_text":
        return text
    w = _text_weights(Y, params, text_weights)
    Z = _pifa(X, Y, params, n_threads)
    if params.method == "pifa_lf_concat":  # inner products are (1 - w) of pifa's and w of the texts'
        return unit_rows(join_columns([scale_rows(Z, np.sqrt(1 - w)), scale_rows(text, np.sqrt(w))]))
    if text.shape[1] != Z.shape[1]:
        raise ValueError(
            f"pifa_lf_convex_combine needs label features like the instances' {Z.shape[1]}, but has "
            f"{text.shape[1]}; transform label texts with the instances' vectorizer, or use pifa_lf_concat"
        )
    return unit_rows(add(scale_rows(Z, 1 - w), scale_rows(text, w)))


def _text_weights(Y: CSR, params: RepresentationParams, given: NDArray[Any] | None) -> NDArray[np.float64]:
    """Weight of every label's text, shape (L,)."""
    if given is not None:
        weights = np.asarray(given, np.float64)
        if weights.shape != (Y.shape[1],) or not np.all((weights >= 0) & (weights <= 1)):
            raise ValueError(f"text_weights must be {Y.shape[1]} numbers from 0 to 1; check length and range")
        return weights
    if params.text_support is None:
        return np.full(Y.shape[1], params.text_weight)
    n_instances = np.bincount(binarize(Y).indices, minlength=Y.shape[1]).astype(np.float64)
    return params.text_support / (params.text_support + n_instances)
