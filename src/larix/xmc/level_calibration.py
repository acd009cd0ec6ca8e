"""Calibration level by level: the chance of a node given its parent, multiplied down the path.

A label is right only if every node on the way to its slot is. Of held-out documents for which a parent is
right, isotonic regression learns at each level how the chance that the child is right rises with the child's
margin. The product down the path is the label's probability, and ranks labels by themselves.

Calibrating final scores by rank (`calibration`) needs no second look at the tree, and on ICD-10-CM its
probabilities were the better ones; those of levels tell at which step a path becomes doubtful.

Zadrozny, Elkan: Transforming classifier scores into accurate multiclass probability estimates. KDD 2002.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.beam_search import PostProcessor, SearchPlan, merge_slots
from larix.xmc.calibration import check_function, rising_share
from larix.xmc.estimator import Estimator, check_is_fitted
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, top_k_per_row
from larix.xmc.xr_linear import XRLinear


class LevelCalibrator(Estimator):
    """Turns the margins on the way to predicted labels into probabilities.

    Attributes
    ----------
    functions_ : list of (margins, probabilities)
        Points between which probabilities are interpolated, of each level.
    """

    def fit(self, model: XRLinear, X: Any, Y: Any, P: Any) -> Self:
        """Learn from held-out documents.

        Parameters
        ----------
        model : XRLinear
            Not trained on these documents.
        X, Y : matrix, N x D and N x L
        P : matrix, N x L
            What `model` predicts for them; the ways to these labels are looked at.

        Raises
        ------
        ValueError
            If there is no prediction, or shapes disagree.
        """
        levels = _path_margins(model, X, P)
        Y = check_csr(Y, name="Y", n_rows=levels[0].margins.shape[0], n_columns=model.tree_.n_labels)
        if not levels[-1].margins.nnz:
            raise ValueError("calibration needs predictions, but P is empty; predict held-out documents")
        self.functions_ = []
        parent_right: NDArray[np.bool_] | None = None
        for level, targets in zip(levels, model.tree_.node_targets(Y), strict=True):
            right = _look_up(targets, level.rows, level.margins.indices) > 0
            taken = slice(None) if parent_right is None else parent_right[level.parents]
            self.functions_.append(rising_share(level.margins.data[taken].astype(np.float64), right[taken]))
            parent_right = right
        return self

    def transform(self, model: XRLinear, X: Any, P: Any) -> CSR:
        """Probabilities of predicted labels.

        Parameters
        ----------
        model : XRLinear
        X : matrix, N x D
        P : matrix, N x L
            What `model` predicts for X.

        Returns
        -------
        csr_array, N x L
            Labels of P that have a slot, by descending probability; of several slots the best counts.
        """
        check_is_fitted(self)
        levels, tree = _path_margins(model, X, P), model.tree_
        if len(levels) != len(self.functions_):
            raise ValueError(
                f"the model must have the {len(self.functions_)} levels that were calibrated, "
                f"but has {len(levels)}; fit again"
            )
        above = np.ones(0)
        for level, (known, shares) in zip(levels, self.functions_, strict=True):
            chances = np.interp(level.margins.data, known, shares)
            above = chances if level.parents is None else chances * above[level.parents]
        slots = levels[-1].margins
        scored = csr_from_parts(above.astype(np.float32), slots.indices, slots.indptr, slots.shape)
        merged = merge_slots(scored, tree.slot_label, tree.n_labels, "max")
        return top_k_per_row(merged, max(merged.shape[1], 1))

    def save(self, path: Path | str) -> None:
        """Write the functions as a folder of plain arrays."""
        check_is_fitted(self)
        arrays: dict[str, NDArray[Any]] = {}
        for level, (margins, probabilities) in enumerate(self.functions_):
            arrays |= {f"margins_{level}": margins, f"probabilities_{level}": probabilities}
        save_folder(path, kind="LevelCalibrator", metadata={"n_levels": len(self.functions_)}, arrays=arrays)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a calibrator that `save` wrote."""
        folder = load_folder(path, kind="LevelCalibrator", verify=verify)
        calibrator = cls()
        calibrator.functions_ = [
            check_function(folder.arrays[f"margins_{level}"], folder.arrays[f"probabilities_{level}"])
            for level in range(folder.metadata["n_levels"])
        ]
        return calibrator


@dataclass(frozen=True, eq=False)
class _Level:
    """Nodes of a level that lie on the way to predicted labels.

    Attributes
    ----------
    margins : csr_array, N x n_nodes
    rows : int array, shape (nnz,)
    parents : int array, shape (nnz,), or None at the top
        Place of each node's parent among the entries of the level above.
    """

    margins: CSR
    rows: NDArray[np.int64]
    parents: NDArray[np.int64] | None


def _path_margins(model: XRLinear, X: Any, P: Any) -> list[_Level]:
    tree, first = model.tree_, model.tree_.first_of_level()
    X = check_csr(X, n_columns=model.n_features_in_)
    P = check_csr(P, name="P", n_rows=X.shape[0], n_columns=tree.n_labels)
    wanted = csr_from_parts(np.ones_like(P.data), P.indices, P.indptr, P.shape)
    nodes = check_csr(tree.nodes_above(tree.slots_of_labels(wanted)))
    levels: list[_Level] = []
    for level in range(tree.depth):
        end = int(first[level]) + tree.n_nodes(level)
        margins = _margins(model, X, nodes[:, :end], level)
        rows = np.repeat(np.arange(X.shape[0]), np.diff(margins.indptr))
        parents = None
        if level:
            of_node = tree.parent_of(level)[margins.indices]
            parents = _places(levels[-1], rows, of_node)
        levels.append(_Level(margins, rows, parents))
    return levels


def _margins(model: XRLinear, X: CSR, nodes: CSR, level: int) -> CSR:
    """Margins of chosen nodes of a level, N x n_nodes; `nodes` has all levels down to this one."""
    tree, first = model.tree_, model.tree_.first_of_level()
    n_parents = 1 + sum(tree.n_nodes(above) for above in range(level))
    weights = model.weights_.of_parents(0, n_parents)
    labels = np.arange(tree.n_nodes(level), dtype=np.int32)
    above: list[PostProcessor] = ["l3-hinge"] * level
    plan = SearchPlan(weights, 1, (*above, "noop"), labels, len(labels))
    parents = tree.all_parents()[: nodes.shape[1]]
    return plan.score(X, check_csr(nodes), parents, first[: level + 1], model.n_threads)


def _places(level: _Level, rows: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where entries (row, node) stand in a level."""
    width = level.margins.shape[1]
    known = level.rows * np.int64(width) + level.margins.indices
    places: NDArray[np.int64] = np.searchsorted(known, rows * np.int64(width) + nodes)
    return places


def _look_up(M: CSR, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.asarray(M[rows, columns]).ravel()
    return values
