"""Trees as JSON and GraphML: there and back, by hand, and documents that are no trees."""

import copy
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from larix.xmc.tree_export import TreeFormatError, TreeNames, tree_from_json, tree_to_graphml, tree_to_json
from tests.xmc.data import random_tree

TREE = LabelTree((np.array([0, 2]), np.array([0, 2, 3])), np.array([2, 0, 1]), 4)
NAMES = TreeNames(list("abcd"), ["A & <a>", "B\x00", "C", "D"], keywords=[[["x", "y"], []]])
DOCUMENT = {
    "format": "larix label tree",
    "version": 1,
    "n_labels": 4,
    "tree": {
        "size": 3,
        "children": [
            {
                "size": 2,
                "keywords": ["x", "y"],
                "labels": [{"label": 2, "id": "c", "name": "C"}, {"label": 0, "id": "a", "name": "A & <a>"}],
            },
            {"size": 1, "keywords": [], "labels": [{"label": 1, "id": "b", "name": "B\x00"}]},
        ],
    },
}
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def same(a, b):
    return (
        [level.tolist() for level in a.offsets] == [level.tolist() for level in b.offsets]
        and a.slot_label.tolist() == b.slot_label.tolist()
        and a.n_labels == b.n_labels
    )


trees = st.builds(
    random_tree,
    n_labels=st.integers(4, 30),
    fan_outs=st.lists(st.integers(2, 6), max_size=3),
    seed=st.integers(0, 1000),
    n_copies=st.integers(0, 4),
).filter(lambda tree: all(np.diff(level).min() > 0 for level in tree.offsets[:-1]))


def test_json_by_hand():
    assert tree_to_json(TREE, NAMES) == DOCUMENT
    assert tree_to_json(TREE, labels=False)["tree"] == {"size": 3, "children": [{"size": 2}, {"size": 1}]}


@given(tree=trees, named=st.booleans())
@settings(max_examples=40, deadline=None)
def test_json_and_back_gives_the_same_tree(tree, named):
    ids = [f"label {i}" for i in range(tree.n_labels)]
    document = json.loads(json.dumps(tree_to_json(tree, TreeNames(ids) if named else TreeNames())))
    assert same(tree_from_json(document), tree)
    assert same(tree_from_json(document, ids), tree)


def test_labels_are_found_by_id_in_another_order():
    tree = tree_from_json(DOCUMENT, ["d", "c", "b", "a", "e"])
    assert tree.slot_label.tolist() == [1, 3, 2]
    assert tree.n_labels == 5


def test_a_tree_made_by_hand_needs_no_sizes_and_may_be_ragged():
    deep = {"children": [{"labels": [{"id": "b"}]}, {"labels": [{"id": "c"}]}]}
    document = DOCUMENT | {"tree": {"children": [{"labels": [{"id": "a"}]}, deep]}}
    tree = tree_from_json(document, list("abc"))
    assert [level.tolist() for level in tree.offsets] == [[0, 2], [0, 1, 3], [0, 1, 2, 3]]
    assert tree.slot_label.tolist() == [0, 1, 2]


def edited(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


LABELS = DOCUMENT["tree"]["children"][0]["labels"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], r"\$.format must be 'larix label tree'"),
        (edited(format="tree"), r"\$.format must be"),
        (edited(version=2), r"\$.version must be 1"),
        (edited(n_labels="4"), r"\$.n_labels must be a number"),
        (edited(tree=None), r"\$.tree must have either children or labels"),
        (edited(tree={"size": 3}), r"\$.tree must have either children or labels"),
        (edited(tree={"children": [], "labels": []}), r"\$.tree must have either children or labels"),
        (edited(tree={"children": []}), r"\$.tree.children must be a list with a node"),
        (edited(tree={"children": [{"labels": 3}]}), r"\$.tree.children\[0\].labels must be a list"),
        (edited(tree={"labels": ["a"]}), r"\$.tree.labels\[0\] must be an object"),
        (
            edited(tree={"labels": [{"id": "a"}]}),
            r"labels\[0\].label must be the number of a label, not None",
        ),
        (edited(tree={"labels": [{"label": True}]}), r"must be the number of a label, not True"),
        (edited(tree={"labels": [*LABELS, *LABELS]}), "at most one slot in a cluster"),
        (edited(n_labels=1), r"slot_label must lie in 0..0, but spans 0..2"),
        (edited(tree={"labels": [{"label": 2**40}]}), r"\$.tree: "),
    ],
)
def test_documents_that_are_no_tree_are_refused(document, message):
    with pytest.raises(TreeFormatError, match=message):
        tree_from_json(document)


def test_an_unknown_id_is_named():
    with pytest.raises(TreeFormatError, match=r"children\[0\].labels\[0\].id must be a known label, not 'c'"):
        tree_from_json(DOCUMENT, ["a", "b"])


def test_graphml_by_hand():
    graph = ET.fromstring(tree_to_graphml(TREE, NAMES).encode()).find(f"{GRAPHML}graph")
    nodes = {
        node.get("id"): {data.get("key"): data.text for data in node}
        for node in graph.findall(f"{GRAPHML}node")
    }
    assert nodes["root"] == {"level": "0", "size": "3"}
    assert nodes["1.0"] == {"level": "1", "size": "2", "keywords": "x, y"}
    assert nodes["2.1"] == {"level": "2", "size": "1", "label": "0", "id": "a", "name": "A & <a>"}
    assert nodes["2.2"]["name"] == "B\ufffd"  # XML has no place for NUL
    edges = [(edge.get("source"), edge.get("target")) for edge in graph.findall(f"{GRAPHML}edge")]
    assert edges == [
        ("root", "1.0"), ("root", "1.1"), ("1.0", "2.0"), ("1.0", "2.1"), ("1.1", "2.2"),
    ]  # fmt: skip
    without = ET.fromstring(tree_to_graphml(TREE, labels=False).encode())
    assert len(list(without.iter(f"{GRAPHML}node"))) == 3


@given(trees)
@settings(max_examples=15, deadline=None)
def test_networkx_reads_a_tree(tree):
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    graph = networkx.parse_graphml(tree_to_graphml(tree))
    assert networkx.is_arborescence(graph)
    assert graph.number_of_nodes() == 1 + sum(map(tree.n_nodes, range(tree.depth)))
    slots = [data["label"] for _, data in graph.nodes(data=True) if "label" in data]
    assert slots == tree.slot_label.tolist()
