"""The size of what a node made, in a few words for its line."""

from functools import singledispatch
from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.corpora import Corpus
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.xr_linear import XRLinear


@singledispatch
def describe_size(value: Any) -> str:  # noqa: ARG001
    """A few words about the size of `value`; an empty text if there is nothing to say."""
    return ""


@describe_size.register
def _(value: sp.sparray) -> str:
    if not value.nnz:  # what a stage leaves where it had nothing to do
        return ""
    rows, columns = value.shape
    return f"{rows:,} x {columns:,} with {value.nnz:,} entries"


@describe_size.register
def _(value: np.ndarray) -> str:
    return " x ".join(f"{size:,}" for size in value.shape) if value.size else ""


@describe_size.register
def _(value: Corpus) -> str:
    return f"{len(value.train):,} + {len(value.test):,} documents, {value.n_labels:,} labels"


@describe_size.register
def _(value: LabelTree) -> str:
    return f"{value.depth} levels, {value.n_clusters:,} clusters, {value.n_slots:,} labels"


@describe_size.register(LinearMatcher)
@describe_size.register(LinearRanker)
@describe_size.register(XRLinear)
@describe_size.register(Ensemble)
def _(value: Any) -> str:
    size = value.size_bytes()
    return f"{size / 1e6:,.0f} MB of weights" if size else ""
