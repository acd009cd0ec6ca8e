"""`larix tree`, on a small project after a run."""

import base64
import gzip
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import larix
from larix.serving.given_features import GivenFeatures
from larix.serving.tree_names import tree_names
from larix.xmc.tree_export import tree_from_json


@pytest.fixture
def in_project(finished_project, monkeypatch):
    """Stand in the folder of a project after a run."""
    monkeypatch.chdir(finished_project.folder)


@pytest.fixture
def classifier(finished_project):
    return larix.load(finished_project.path("06_models/classifier"))


@pytest.mark.usefixtures("in_project")
class TestTree:
    @pytest.mark.parametrize("command", ["show", "export"])
    def test_it_explains_itself_with_examples(self, larix_command, command):
        assert f"larix tree {command}" in larix_command("tree", command, "--help").output

    def test_the_upper_levels_are_shown_with_words(self, larix_command, classifier):
        tree = classifier.model.tree_
        result = larix_command("tree", "show", "--depth=1")
        assert result.exit_code == 0
        lines = result.output.splitlines()
        assert lines[0] == f"{tree.n_slots} labels"
        assert len(lines) == 1 + tree.n_nodes(0)
        everything = larix_command("tree", "show", "--depth=9").output
        for label in ("bone", "heart", "skin", "lung"):  # their names are their identifiers
            assert label in everything
            assert f"{label} {label}" not in everything

    def test_json_becomes_the_same_tree(self, larix_command, classifier, tmp_path):
        file = tmp_path / "new" / "tree.json"
        result = larix_command("tree", "export", str(file))
        assert result.exit_code == 0
        assert f"{classifier.model.tree_.n_clusters} clusters" in result.output
        tree = tree_from_json(json.loads(file.read_text(encoding="utf-8")), classifier.label_ids)
        assert np.array_equal(tree.slot_label, classifier.model.tree_.slot_label)

    def test_graphml_may_leave_out_labels(self, larix_command, classifier, tmp_path):
        file = tmp_path / "tree.graphml"
        assert larix_command("tree", "export", "--no-labels", str(file)).exit_code == 0
        tree = classifier.model.tree_
        nodes = [item for item in ET.parse(file).iter() if item.tag.endswith("}node")]
        assert len(nodes) == 1 + sum(tree.n_nodes(level) for level in range(tree.depth - 1))

    def test_a_page_shows_every_label(self, larix_command, classifier, tmp_path):
        file = tmp_path / "tree.html"
        assert larix_command("tree", "export", str(file)).exit_code == 0
        page = file.read_text(encoding="utf-8")
        assert "<title>tiny: label tree</title>" in page
        packed = re.search(r'id="data">([^<]*)<', page)[1]
        assert json.loads(gzip.decompress(base64.b64decode(packed)))["ids"] == classifier.label_ids

    def test_a_page_without_labels_is_refused(self, larix_command, tmp_path):
        result = larix_command("tree", "export", "--no-labels", str(tmp_path / "tree.html"))
        assert result.exit_code == 2
        assert "a page is for labels" in result.output

    def test_the_run_has_made_a_page_with_documents(self, finished_project):
        page = finished_project.newest("08_reporting/tree.html").read_text(encoding="utf-8")
        found = json.loads(gzip.decompress(base64.b64decode(re.search(r'id="data">([^<]*)<', page)[1])))
        metrics = json.loads(finished_project.newest("08_reporting/metrics.json").read_text(encoding="utf-8"))
        assert sum(found["true"]) == metrics["counts"]["true_occurrences"]
        assert found["recall"][0] == 1.0

    def test_other_endings_are_refused(self, larix_command, tmp_path):
        result = larix_command("tree", "export", str(tmp_path / "tree.txt"))
        assert result.exit_code == 2
        assert "must end in .html, .json or .graphml" in result.output


def test_given_features_have_no_words(classifier):
    names = tree_names(classifier)
    assert len(names.keywords) == classifier.model.tree_.depth - 1
    assert tree_names(classifier, 0).keywords is None
    classifier.features = GivenFeatures(classifier.model.n_features_in_, normalize=False)
    assert tree_names(classifier).keywords is None
