"""Label trees as JSON and as GraphML, for people and for other programs, and back from JSON.

The JSON form nests nodes, and clusters list their labels::

    {"format": "larix label tree", "version": 1, "n_labels": 3, "tree":
        {"size": 3, "children": [
            {"size": 2, "labels": [{"label": 0, "id": "fox", "name": "Foxes"}, {"label": 2, ...}]},
            {"size": 1, "labels": [...]}]}}

A tree made or edited by hand may leave out sizes, may name labels by `id` alone, and may have clusters on
several levels.

GraphML: Brandes et al., GraphML progress report, Graph Drawing 2001.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree

FORMAT = "larix label tree"
VERSION = 1
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_ATTRIBUTES = {
    "level": "int",
    "size": "int",
    "keywords": "string",
    "label": "int",
    "id": "string",
    "name": "string",
}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class TreeFormatError(ValueError):
    """A document is no label tree; the message has the place, what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class TreeNames:
    """What nodes and labels are called.

    Parameters
    ----------
    label_ids, label_names : sequence of str, length L, optional
    keywords : sequence, optional
        For every level above the labels a list of words for each node (`larix.xmc.tree_keywords`).
    """

    label_ids: Sequence[str] | None = None
    label_names: Sequence[str] | None = None
    keywords: Sequence[Sequence[Sequence[str]]] | None = None

    def of_label(self, label: int) -> dict[str, Any]:
        """Number, id and name of a label, as far as they are known."""
        entry: dict[str, Any] = {"label": label}
        if self.label_ids is not None:
            entry["id"] = self.label_ids[label]
        if self.label_names is not None:
            entry["name"] = self.label_names[label]
        return entry

    def of_node(self, level: int, number: int) -> dict[str, Any]:
        """Keywords of a node; the root (level -1) has none."""
        if self.keywords is None or level < 0:
            return {}
        return {"keywords": list(self.keywords[level][number])}


def tree_to_json(tree: LabelTree, names: TreeNames = TreeNames(), *, labels: bool = True) -> dict[str, Any]:
    """A tree as plain nested values.

    Parameters
    ----------
    tree : LabelTree
    names : TreeNames
    labels : bool
        List the labels of clusters; without them the document can't be read back.
    """
    nodes = [_cluster(tree, names, number, labels) for number in range(tree.n_clusters)]
    for level in range(tree.depth - 2, -1, -1):
        sizes, offsets = tree.label_counts(level - 1), tree.offsets[level]
        nodes = [
            {"size": int(size), **names.of_node(level - 1, n), "children": nodes[offsets[n] : offsets[n + 1]]}
            for n, size in enumerate(sizes)
        ]
    return {"format": FORMAT, "version": VERSION, "n_labels": tree.n_labels, "tree": nodes[0]}


def _cluster(tree: LabelTree, names: TreeNames, number: int, with_labels: bool) -> dict[str, Any]:
    labels = tree.labels_of_cluster(number).tolist()
    node: dict[str, Any] = {"size": len(labels), **names.of_node(tree.depth - 2, number)}
    return {**node, "labels": [names.of_label(label) for label in labels]} if with_labels else node


def tree_from_json(document: Any, label_ids: Sequence[str] | None = None) -> LabelTree:
    """A tree from plain nested values.

    Parameters
    ----------
    document : dict
        As `tree_to_json` gives it.
    label_ids : sequence of str, length L, optional
        To find labels by `id`; a `label` number beside it is then ignored.

    Raises
    ------
    TreeFormatError
        If the document is none of a tree.
    """
    _require(isinstance(document, Mapping) and document.get("format") == FORMAT, "$.format", f"be {FORMAT!r}")
    _require(document.get("version") == VERSION, "$.version", f"be {VERSION}")
    n_labels = len(label_ids) if label_ids is not None else document.get("n_labels")
    _require(type(n_labels) is int and n_labels >= 0, "$.n_labels", "be a number of labels")
    numbers = None if label_ids is None else {label: i for i, label in enumerate(label_ids)}
    level, offsets = [("$.tree", document.get("tree"))], []
    while any("children" in _node(path, node) for path, node in level):
        families = [_children(path, node) for path, node in level]
        offsets.append(_offsets(families))
        level = [child for family in families for child in family]
    clusters = [[_label(p, entry, numbers) for p, entry in _entries(path, node)] for path, node in level]
    slots = [label for cluster in clusters for label in cluster]
    try:
        return LabelTree((*offsets, _offsets(clusters)), np.array(slots, np.int32), n_labels)
    except (ValueError, OverflowError) as error:
        raise TreeFormatError(f"$.tree: {error}") from None


def _require(holds: bool, path: str, rule: str) -> None:
    if not holds:
        raise TreeFormatError(f"{path} must {rule}; export the tree again, or correct it there")


def _node(path: str, node: Any) -> Mapping[str, Any]:
    is_node = isinstance(node, Mapping) and ("children" in node) != ("labels" in node)
    _require(is_node, path, "have either children or labels")
    own: Mapping[str, Any] = node
    return own


def _children(path: str, node: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Children with their paths; a cluster above the lowest level is its own only child."""
    if "children" not in node:
        return [(path, node)]
    children = node["children"]
    _require(isinstance(children, list) and len(children) > 0, f"{path}.children", "be a list with a node")
    return [(f"{path}.children[{i}]", child) for i, child in enumerate(children)]


def _entries(path: str, node: Mapping[str, Any]) -> list[tuple[str, Any]]:
    labels = node["labels"]
    _require(isinstance(labels, list), f"{path}.labels", "be a list")
    return [(f"{path}.labels[{i}]", entry) for i, entry in enumerate(labels)]


def _label(path: str, entry: Any, numbers: Mapping[str, int] | None) -> int:
    _require(isinstance(entry, Mapping), path, "be an object with a label or an id")
    if numbers is not None and "id" in entry:
        name = entry["id"]
        _require(
            isinstance(name, str) and name in numbers, f"{path}.id", f"be a known label, not {name!r:.60}"
        )
        return numbers[name]
    label = entry.get("label")
    _require(type(label) is int, f"{path}.label", f"be the number of a label, not {label!r:.60}")
    number: int = label
    return number


def _offsets(families: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, families)])


def tree_to_graphml(tree: LabelTree, names: TreeNames = TreeNames(), *, labels: bool = True) -> str:
    """A tree as a GraphML document: nodes with level and size, edges from parents to children.

    Parameters
    ----------
    tree : LabelTree
    names : TreeNames
    labels : bool
        Make nodes of labels, too: one for each slot.
    """
    text = io.StringIO()
    xml = XMLGenerator(text, encoding="utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.startElement("graphml", AttributesImpl({"xmlns": _NAMESPACE}))
    for name, kind in _ATTRIBUTES.items():
        _element(xml, "key", {"id": name, "for": "node", "attr.name": name, "attr.type": kind})
    xml.startElement("graph", AttributesImpl({"id": "tree", "edgedefault": "directed"}))
    for level in range(-1, tree.depth - 1 + labels):
        _write_level(xml, tree, names, level)
    xml.endElement("graph")
    xml.endElement("graphml")
    xml.endDocument()
    return text.getvalue() + "\n"


def _write_level(xml: XMLGenerator, tree: LabelTree, names: TreeNames, level: int) -> None:
    is_slot = level == tree.depth - 1
    sizes = tree.label_counts(level).tolist()
    parents = tree.parent_of(level).tolist() if level >= 0 else []
    for number, size in enumerate(sizes):
        own = names.of_label(int(tree.slot_label[number])) if is_slot else names.of_node(level, number)
        xml.startElement("node", AttributesImpl({"id": _name(level, number)}))
        for key, value in {"level": level + 1, "size": size, **own}.items():
            told = ", ".join(value) if isinstance(value, list) else str(value)
            _element(xml, "data", {"key": key}, told)
        xml.endElement("node")
    for number, parent in enumerate(parents):
        _element(xml, "edge", {"source": _name(level - 1, parent), "target": _name(level, number)})
    xml.characters("\n")


def _name(level: int, number: int) -> str:
    return "root" if level < 0 else f"{level + 1}.{number}"


def _element(xml: XMLGenerator, tag: str, attributes: dict[str, str], content: str = "") -> None:
    xml.startElement(tag, AttributesImpl(attributes))
    if content:
        xml.characters(_NOT_IN_XML.sub("\ufffd", content))
    xml.endElement(tag)
