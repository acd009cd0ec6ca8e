"""XR-Linear models of libpecos: a folder for each level with W.npz, C.npz and param.json.

::

    model/param.json
    model/ranker/param.json              depth and sizes
    model/ranker/0.model/param.json      bias, post-processor, beam
    model/ranker/0.model/W.npz           (features + bias) x nodes
    model/ranker/0.model/C.npz           nodes x parents
    model/ranker/1.model/...

libpecos knows no label in several clusters. Exporting gives every further slot of a label a pseudo label
after the real ones; `pseudo_labels.json` says which label each stands for.
"""

import json
import zipfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.atomic_folder import replacing_folder
from larix.xmc.beam_search import PostProcessor, SearchParams
from larix.xmc.choice import per_level
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.xr_linear import XRLinear


class PecosFormatError(ValueError):
    """A folder isn't a libpecos XR-Linear model; the message names the file."""


def import_pecos(folder: Path | str) -> XRLinear:
    """Read an XR-Linear model that libpecos saved.

    Parameters
    ----------
    folder : path
        What `XLinearModel.save` wrote.

    Returns
    -------
    XRLinear
        It predicts what libpecos predicts from the folder.

    Raises
    ------
    PecosFormatError
        When a file is missing, malformed, or says something larix can't represent.
    """
    ranker = Path(folder) / "ranker"
    depth = _number(_read_json(ranker / "param.json"), "depth", ranker / "param.json")
    levels = [ranker / f"{level}.model" for level in range(depth)]
    params = [_read_json(level / "param.json") for level in levels]
    chain = [_read_matrix(level / "C.npz") for level in levels]
    try:
        tree, orders = LabelTree.from_chain_with_order(chain)
    except ValueError as error:
        raise PecosFormatError(f"{ranker}: the cluster matrices form no tree: {error}") from None
    if tree.has_overlap:
        raise PecosFormatError(
            f"{levels[-1] / 'C.npz'}: every label must have one cluster, but some have several, "
            "whose weights libpecos adds up; train such a model with larix instead"
        )
    bias = {
        float(_number(p, "bias", level / "param.json", float))
        for p, level in zip(params, levels, strict=True)
    }
    if len(bias) > 1:
        raise PecosFormatError(f"{ranker}: all levels must have one bias, but have {sorted(bias)}")
    weights = [
        _level_weights(level / "W.npz", order, tree.offsets[t], max(*bias, 0.0))
        for t, (level, order) in enumerate(zip(levels, orders, strict=True))
    ]
    model = XRLinear(search=_search_params(params, levels))
    return model._set_learnt(tree, ChunkedWeights.concatenate(weights))


def export_pecos(model: XRLinear, folder: Path | str) -> None:
    """Write a fitted XR-Linear model as a folder that libpecos loads.

    Parameters
    ----------
    model : XRLinear
    folder : path
        Replaced whole, or not at all.
    """
    tree, search = model.tree_, model.search
    W = model.weights_.to_csc()
    label_of_column = _columns(tree)
    column_of_slot = np.empty(tree.n_slots, np.int64)
    column_of_slot[label_of_column["slot"]] = label_of_column["column"]
    post_processors = per_level(search.post_processor, tree.depth, "post_processor")
    n_columns = max(tree.n_labels, int(column_of_slot.max()) + 1)
    firsts = [*tree.first_of_level(), W.shape[1]]
    with replacing_folder(Path(folder), replaceable=_is_pecos_model) as target:
        _write_json(
            target / "param.json", {"__meta__": {"class_fullname": "pecos.xmc.xlinear.model###XLinearModel"}}
        )
        (target / "ranker").mkdir()
        _write_json(target / "ranker" / "param.json", {
            "__meta__": {"class_fullname": "pecos.xmc.base###HierarchicalMLModel"},
            "model": "HierarchicalMLModel", "depth": tree.depth, "nr_features": model.n_features_in_,
            "nr_codes": tree.n_clusters, "nr_labels": n_columns,
        })  # fmt: skip
        for t in range(tree.depth):
            last = t == tree.depth - 1
            level_W, C = W[:, firsts[t] : firsts[t + 1]], tree.membership(t)
            if last:
                level_W, C = (
                    _placed(level_W.T, column_of_slot, n_columns).T,
                    _placed(C, column_of_slot, n_columns),
                )
            top_k = search.top_k if last else search.beam_size
            _write_level(target / "ranker" / f"{t}.model", level_W, C, model, top_k, post_processors[t])
        pseudo = label_of_column["label"][label_of_column["column"] >= tree.n_labels]
        _write_json(
            target / "pseudo_labels.json", {"n_labels": tree.n_labels, "pseudo_labels": pseudo.tolist()}
        )


def _is_pecos_model(folder: Path) -> bool:
    return (folder / "ranker" / "param.json").is_file()


def _columns(tree: LabelTree) -> dict[str, NDArray[np.int64]]:
    """For every slot: its label, and its column there: the label's number, or a pseudo label's."""
    first = np.unique(tree.slot_label, return_index=True)[1]
    further = np.setdiff1d(np.arange(tree.n_slots), first)
    slots = np.concatenate([first, further])
    columns = np.concatenate([tree.slot_label[first], tree.n_labels + np.arange(len(further))])
    return {"slot": slots, "label": tree.slot_label[slots].astype(np.int64), "column": columns}


def _placed(rows: Any, at: NDArray[np.int64], n_rows: int) -> CSR:
    """A matrix of `n_rows` rows that has row i of `rows` at `at[i]`."""
    move = sp.csr_array((np.ones(len(at), np.float32), (at, np.arange(len(at)))), shape=(n_rows, len(at)))
    return move @ rows


def _write_level(
    folder: Path, W: Any, C: Any, model: XRLinear, top_k: int, post_processor: PostProcessor
) -> None:
    folder.mkdir()
    bias = model.weights_.bias
    W = sp.csc_matrix(W if bias > 0 else W[:-1], dtype=np.float32)
    C = sp.csc_matrix(C, dtype=np.float32)
    for matrix, name in ((W, "W"), (C, "C")):
        matrix.sort_indices()
        sp.save_npz(folder / f"{name}.npz", matrix, compressed=False)
    _write_json(folder / "param.json", {
        "__meta__": {"class_fullname": "pecos.xmc.base###MLModel"}, "model": "MLModel",
        "nr_labels": W.shape[1], "nr_features": model.n_features_in_, "nr_codes": C.shape[1],
        "bias": bias if bias > 0 else -1.0,
        "pred_kwargs": {
            "__meta__": {"class_fullname": "pecos.xmc.base###MLModel.PredParams"},
            "only_topk": top_k, "post_processor": post_processor,
        },
    })  # fmt: skip


def _level_weights(
    path: Path, order: NDArray[Any], offsets: NDArray[np.int64], bias: float
) -> ChunkedWeights:
    W = _read_matrix(path).T.tocsr()  # nodes x features
    if W.shape[0] != offsets[-1]:
        raise PecosFormatError(
            f"{path}: W must have {offsets[-1]} columns, one for each node, but has {W.shape[0]}"
        )
    W = W[order].T.tocsc()
    if bias <= 0:
        W = sp.vstack([W, sp.csc_array((1, W.shape[1]), dtype=np.float32)], format="csc")
    return ChunkedWeights.from_csc(W, offsets, bias=bias)


def _search_params(params: list[dict[str, Any]], levels: list[Path]) -> SearchParams:
    kwargs = []
    for param, level in zip(params, levels, strict=True):
        kwargs.append(param.get("pred_kwargs") or {})
        if kwargs[-1].get("post_processor", "l3-hinge") not in get_args(PostProcessor):
            raise PecosFormatError(
                f"{level / 'param.json'}: post_processor must be one of "
                f"{', '.join(get_args(PostProcessor))}, but is {kwargs[-1]['post_processor']!r}"
            )
    post_processors = tuple(k.get("post_processor", "l3-hinge") for k in kwargs)
    beams = [int(k.get("only_topk", 20)) for k in kwargs]
    return SearchParams(
        beam_size=beams[-2] if len(beams) > 1 else beams[-1],
        top_k=beams[-1],
        post_processor=post_processors[0] if len(set(post_processors)) == 1 else post_processors,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PecosFormatError(
            f"{path}: a libpecos XR-Linear model has this file, but it is missing"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise PecosFormatError(f"{path}: must be JSON, but {error}") from None
    if not isinstance(values, dict):
        raise PecosFormatError(f"{path}: must hold a JSON object, but holds {type(values).__name__}")
    return values


def _number(values: dict[str, Any], key: str, path: Path, kind: type = int) -> Any:
    value = values.get(key)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (kind is int and not 1 <= value <= 64)
    ):
        raise PecosFormatError(f"{path}: {key} must be a sensible number, but is {value!r}")
    return value


def _read_matrix(path: Path) -> CSR:
    try:
        matrix = sp.load_npz(path)
    except FileNotFoundError:
        raise PecosFormatError(
            f"{path}: a libpecos XR-Linear model has this file, but it is missing"
        ) from None
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise PecosFormatError(
            f"{path}: must be a scipy sparse matrix without pickled parts, but {error}"
        ) from None
    try:
        if matrix.format == "csc":  # its transpose shares the arrays, whose structure is then checked
            return check_csr(check_csr(matrix.T, name="transposed").T)
        return check_csr(matrix)
    except (TypeError, ValueError) as error:
        raise PecosFormatError(f"{path}: {error}") from None


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
