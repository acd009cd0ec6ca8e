"""The page of a label tree: one HTML file to search and browse it, offline, at tens of thousands of labels.

What is told lies in the page as arrays, in JSON that is compressed by gzip and written in base64; the browser
unpacks it once and makes elements only for what is looked at.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from larix.html_page import page_environment
from larix.xmc.sparse import CSR
from larix.xmc.tree_view import TreeView

_LETTERS = 140


def render_tree_page(view: TreeView, title: str, *, unseen: str = "test documents") -> str:
    """Render the page.

    Names, words and texts reach the page as data, never as markup; the page forbids itself every connection.

    Parameters
    ----------
    view : TreeView
    title : str
        Of the corpus.
    unseen : str
        What the documents are called by which `view.kept` was counted.

    Returns
    -------
    str
        A whole HTML document. The same view gives the same bytes.
    """
    content = json.dumps(tree_content(view) | {"unseen": unseen}, ensure_ascii=False, separators=(",", ":"))
    packed = base64.b64encode(gzip.compress(content.encode("utf-8", "replace"), mtime=0)).decode("ascii")
    return page_environment("larix.reporting").get_template("tree.html").render(title=title, packed=packed)


def tree_content(view: TreeView) -> dict[str, Any]:
    """A view as plain arrays.

    Returns
    -------
    dict
        `children`: for every level the number of children of each node above it. `slots`: the label of every
        slot. `ids`, `names`, `training`, `true`: of labels; a name that is its id is empty. `words`: all
        words, to which `keywords` (of nodes above the slots) and `features` (of all nodes) refer; `texts`, to
        which `documents` refer. These three are ragged: the number of entries of each node, and all entries.
        `found`: documents of every slot. `keptSlots`, `keptLabels`: as in `KeptPaths`. `recall`: by level.
        What is not known is null.
    """
    tree, names = view.tree, view.names
    words, texts = _Numbering(), _Numbering()
    ids = list(names.label_ids or map(str, range(tree.n_labels)))
    content: dict[str, Any] = {
        "children": [np.diff(level).tolist() for level in tree.offsets],
        "slots": tree.slot_label.tolist(),
        "ids": ids,
        "names": [
            "" if name == own else name for name, own in zip(names.label_names or ids, ids, strict=True)
        ],
        "training": np.asarray(view.n_training).tolist(),
        "keywords": names.keywords and _ragged((node for level in names.keywords for node in level), words),
        "features": _ragged(_feature_rows(view.features, view.feature_names), words),
        "documents": None,
        "found": None,
        "true": None,
    }
    if view.documents is not None:
        rows = _rows(view.documents.best)
        told = ([_shortened(view.texts[number]) for number in row] for row in rows)
        content |= {"documents": _ragged(told, texts), "found": view.documents.count.tolist()}
    if view.kept is not None:
        content |= {
            "true": view.kept.n_true.tolist(),
            "keptSlots": view.kept.of_slots.tolist(),
            "keptLabels": view.kept.of_labels.tolist(),
            "recall": [None if np.isnan(share) else round(share, 6) for share in view.kept.recall()],
        }
    return content | {"words": list(words), "texts": list(texts)}


class _Numbering(dict[str, int]):
    """Numbers strings in the order in which they come."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self)
        return self[key]


def _ragged(rows: Iterable[Sequence[str]], numbering: _Numbering) -> list[list[int]]:
    """Lengths of rows, and the numbers of all their entries."""
    lengths, entries = [], []
    for row in rows:
        lengths.append(len(row))
        entries += [numbering[entry] for entry in row]
    return [lengths, entries]


def _rows(matrix: CSR) -> Iterable[list[int]]:
    return (row.tolist() for row in np.split(matrix.indices, matrix.indptr[1:-1]))


def _feature_rows(features: CSR, names: Sequence[str] | None) -> Iterable[list[str]]:
    name = (lambda number: f"feature {number}") if names is None else (lambda number: names[number])
    return ([name(number) for number in row] for row in _rows(features))


def _shortened(text: str) -> str:
    text = " ".join(text[: 2 * _LETTERS].split())
    return text if len(text) <= _LETTERS else text[:_LETTERS].rstrip() + " …"
