import base64
import gzip
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from larix.reporting import render_tree_page
from larix.reporting.tree_page import tree_content
from larix.xmc.kept_paths import kept_paths
from larix.xmc.label_tree import LabelTree
from larix.xmc.slot_documents import documents_of_slots
from larix.xmc.tree_export import TreeNames
from larix.xmc.tree_view import TreeView
from tests.reporting.browser import tour

# The root has two children, which have one and two clusters; "bank" lives in the first and the second.
TREE = LabelTree(
    (np.array([0, 2]), np.array([0, 1, 3]), np.array([0, 2, 4, 6])), np.array([0, 1, 1, 2, 3, 4]), 6
)
NAMES = TreeNames(
    ["a", "b", "c", "d", "e", "f"],
    ["River shore", "Bank", "Crédit <b>& loan</b>", "d", "Mouse", "Never seen"],
    [[["water"], ["money"]], [["water", "edge"], [], ["animal"]]],
)
WORDS = ["shore", "deposit", "</script><script>alert(1)", "whiskers"]
Y = np.array([[1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0]])
BEAMS = [np.array([[1, 0], [0, 1], [1, 1]]), np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])]


def full_view():
    features = sp.csr_array(np.eye(11, 4, dtype=np.float32) + np.eye(11, 4, -6, dtype=np.float32))
    return TreeView(
        TREE,
        NAMES,
        np.array([5, 1234, 3, 2, 1, 0]),
        features,
        WORDS,
        kept_paths(TREE, Y, BEAMS),
        documents_of_slots(TREE, Y, BEAMS[-1], 2),
        ["fishing from the bank", "the mouse robbed the bank", "x" * 300],
    )


@pytest.fixture
def view():
    return full_view()


def unpacked(page):
    packed = re.search(r'id="data">([^<]*)<', page)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_the_page_carries_the_tree_as_arrays(view):
    found = unpacked(render_tree_page(view, "Tiny"))
    assert found == {**tree_content(view), "unseen": "test documents"}
    assert found["children"] == [[2], [1, 2], [2, 2, 2]]
    assert found["slots"] == [0, 1, 1, 2, 3, 4]
    assert found["names"][3] == ""  # its name is its identifier
    lengths, entries = found["keywords"]
    assert lengths == [1, 1, 2, 0, 1]
    assert [found["words"][entry] for entry in entries] == ["water", "money", "water", "edge", "animal"]
    assert found["true"] == [1, 2, 1, 0, 1, 0]
    assert found["keptLabels"] == [[1, 2, 1, 0, 1, 0], [1, 2, 0, 0, 0, 0]]
    assert found["recall"] == [1.0, 0.6]
    assert found["found"] == [1, 1, 1, 0, 0, 0]
    assert max(map(len, found["texts"])) < 150


def test_equal_views_give_equal_bytes(view):
    assert render_tree_page(view, "Tiny") == render_tree_page(view, "Tiny")


def test_nothing_is_fetched_and_nothing_from_the_data_is_markup(view):
    page = render_tree_page(view, "<i>Tiny</i>")
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<i>Tiny" not in page
    assert "alert(1)" not in page


def test_what_is_unknown_is_left_out(view):
    bare = replace(view, names=TreeNames(), feature_names=None, kept=None, documents=None, texts=())
    found = tree_content(bare)
    assert (found["keywords"], found["documents"], found["true"]) == (None, None, None)
    assert found["ids"] == ["0", "1", "2", "3", "4", "5"]
    assert found["words"][0] == "feature 0"


def test_a_view_describes_one_tree(view):
    with pytest.raises(
        ValueError, match="n_training must describe the 6 labels of the tree, but describes 2"
    ):
        replace(view, n_training=np.array([1, 2]))
    with pytest.raises(ValueError, match="texts must describe the 3 documents of the tree, but describes 0"):
        replace(view, texts=())


GO = "location.hash = '{}'"
ORDER = "const order = $('order'); order.value = '{}'; order.dispatchEvent(new Event('input'))".replace(
    "$", "document.getElementById"
)
ACTIONS = {
    "overview": "",
    "outline": "for (let i = 0; i < 2; i++) document.querySelectorAll('.toggle')[i].click()",
    "label": GO.format("label=b"),
    "unseen label": GO.format("label=f"),
    "unknown label": GO.format("label=unknown"),
    "node": GO.format("node=0.1"),
    "unknown node": GO.format("node=9.9"),
    "words without accents": GO.format("q=loan credit"),
    "parts of words": GO.format("q=n b"),
    "nothing found": GO.format("q=elephant"),
    "most lost": GO.format("q=") + ";" + ORDER.format("reach"),
    "in several clusters": ORDER.format("match") + "; document.getElementById('several').click()",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return tour(render_tree_page(full_view(), "Tiny"), tmp_path_factory.mktemp("browser"), ACTIONS)


class TestInABrowser:
    def test_the_overview_comes_first(self, seen):
        assert "6 labels · 3 clusters · 2 levels above the labels · 1.20 clusters a label" in seen["overview"]
        assert "1 2 2–4 100.0 % 2 3 2–2 60.0 %" in seen["overview"]  # level, nodes, labels, in reach
        assert "▸ water 2 ▸ money 4" in seen["overview"]

    def test_the_outline_opens_down_to_labels(self, seen):
        assert "▾ water 2 ▾ water, edge 2 a River shore b Bank ▸ money 4" in seen["outline"]

    def test_a_label_is_told_cluster_by_cluster(self, seen):
        assert "Bank b 1,234 training documents · in 2 clusters" in seen["label"]
        assert "Way to any of its clusters: kept for 2 of 2 test documents" in seen["label"]
        first, second = seen["label"].split("Cluster ")[1:]
        assert first.startswith("0 1 of 1,234 training documents led here water 2 labels")
        assert "kept for 1 of 2 test documents" in first
        assert "Its documents here fishing from the bank Beside it: 1 label a River shore" in first
        assert second.startswith("1 1 of 1,234 training documents led here money 4 labels")
        assert "the mouse robbed the bank Beside it: 1 label c Crédit <b>& loan</b>" in second

    def test_a_node_lists_its_children_and_labels(self, seen):
        assert "tree money level 1, node 1 · 4 labels" in seen["node"]
        assert "2 children" in seen["node"]
        assert "4 labels b Bank c Crédit <b>& loan</b> d e Mouse" in seen["node"]

    def test_odd_addresses_do_no_harm(self, seen):
        assert "0 training documents · not in the tree: no training document has it" in seen["unseen label"]
        assert "There is no label unknown." in seen["unknown label"]
        assert "The tree level nodes" in seen["unknown node"]

    def test_labels_are_found_by_parts_of_words_without_accents(self, seen):
        assert "1 label Crédit <b>& loan</b> c 3 documents" in seen["words without accents"]
        assert "2 labels Bank b 1,234 documents" in seen["parts of words"]
        assert "0 labels" in seen["nothing found"]

    def test_the_most_lost_labels_come_first(self, seen):
        assert "2 labels Crédit <b>& loan</b> c 3 documents · in reach 0 % Mouse e" in seen["most lost"]

    def test_labels_in_several_clusters_can_be_picked(self, seen):
        found = "1 label Bank b 1,234 documents · 2 clusters · in reach 100 %"
        assert found in seen["in several clusters"]

    def test_a_flat_tree_without_words_can_be_browsed(self, tmp_path):
        flat = LabelTree((np.array([0, 2]),), np.array([1, 0]), 2)
        view = TreeView(flat, TreeNames(), np.array([1, 2]), sp.csr_array((2, 3), dtype=np.float32))
        seen = tour(render_tree_page(view, "Flat"), tmp_path, {"label": GO.format("label=1")})
        assert "2 labels · 1 cluster · 0 levels above the labels" in seen["label"]
        assert "Beside it: 1 label 0" in seen["label"]
