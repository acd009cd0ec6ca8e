"""Agreement with libpecos 1.2.8 on converged problems (files made by tests/data/libpecos/make.py)."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from larix import (
    LinearMatcher,
    LinearRanker,
    RelevanceParams,
    SearchParams,
    SolverParams,
    XRLinear,
    represent_labels,
)
from larix.xmc.beam_search import SearchPlan
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.label_tree import LabelTree

GOLDEN = Path(__file__).parents[1] / "data" / "libpecos"
RUNS = json.loads((GOLDEN / "manifest.json").read_text())["runs"]
PREDICTIONS = sorted(path.stem for path in GOLDEN.glob("*.[0-9]*.[0-9]*.npz"))
EXACT = {"eps": 1e-5, "max_iter": 3000, "threshold": 0.0}


def golden(name):
    return sp.csr_array(sp.load_npz(GOLDEN / f"{name}.npz"))


@pytest.fixture(scope="module")
def tree():
    return LabelTree.from_chain([golden(f"C{t}") for t in range(3)])


def level_weights(run, tree):
    """The reference's weights with columns in our order of nodes."""
    weights = [sp.csc_array(golden(f"{run}.W{level}")) for level in range(3)]
    return [*weights[:-1], weights[-1][:, tree.slot_label]]


@pytest.mark.parametrize("method", ["pifa", "pii"])
def test_label_representations_agree(method):
    difference = represent_labels(golden("X"), golden("Y"), method) - golden(method)
    assert abs(difference).max() < 2e-7


@pytest.mark.parametrize("run", RUNS)
def test_weights_agree(run, tree):
    X, Y = golden("X"), golden("Y")
    loss = "hinge" if run == "hinge" else "squared-hinge"
    solver = SolverParams(loss=loss, Cp=RUNS[run].get("Cp", 1.0), Cn=RUNS[run].get("Cn", 1.0), **EXACT)
    stage = {
        "solver": solver,
        "negatives": RUNS[run]["negative_sampling_scheme"],
        "relevance": RelevanceParams("induced" if run == "relevance" else "none", norm="l1"),
    }
    matcher = LinearMatcher(search=SearchParams(beam_size=10), **stage).fit(X, Y, tree)
    ranker = LinearRanker(**stage).fit(X, Y, tree, matcher.predict(X))
    ours = XRLinear.from_stages(matcher, ranker).weights_.to_csc()
    theirs = sp.hstack(level_weights(run, tree))
    assert abs(ours - theirs).max() < (6e-5 if run == "hinge" else 8e-6)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_agree(name, tree):
    run, post_processor, beam_size, top_k = name.split(".")
    levels = [
        ChunkedWeights.from_csc(W, tree.offsets[level], bias=1.0)
        for level, W in enumerate(level_weights(run, tree))
    ]
    plan = SearchPlan(
        ChunkedWeights.concatenate(levels), 1, (post_processor,) * 3, tree.slot_label, tree.n_labels
    )
    check_same_predictions(plan.run(golden("X_test"), int(beam_size), int(top_k)), golden(name))


def check_same_predictions(P, expected):
    expected.sort_indices()
    P = P.copy()
    P.sort_indices()
    assert np.array_equal(P.indptr, expected.indptr)
    assert np.array_equal(P.indices, expected.indices)
    np.testing.assert_allclose(P.data, expected.data, rtol=7e-6, atol=7e-6)


@pytest.mark.skipif(
    "LARIX_CONFORMANCE" not in os.environ, reason="LARIX_CONFORMANCE names no folder of golden files"
)
def test_a_further_set_of_golden_files_agrees():
    folder = Path(os.environ["LARIX_CONFORMANCE"])
    load = lambda name: sp.csr_array(sp.load_npz(folder / f"{name}.npz"))  # noqa: E731
    tree = LabelTree.from_chain([load(f"cluster_chain/C{t}") for t in range(3)])
    X, Y = load("X_trn"), load("Y_trn")
    assert abs(represent_labels(X, Y) - load("L_pifa")).max() < 2e-7
    model = XRLinear(solver=SolverParams(**EXACT), search=SearchParams(beam_size=5)).fit(X, Y, tree)
    theirs = [sp.csc_array(load(f"tfn_svc2.W{level}")) for level in range(3)]
    theirs[-1] = theirs[-1][:, tree.slot_label]
    assert abs(model.weights_.to_csc() - sp.hstack(theirs)).max() < 5e-6
    P, expected = model.predict(load("X_tst"), top_k=10), load("tfn_svc2.P.l3-hinge.b5.k10")
    expected.sort_indices()
    P.sort_indices()
    assert np.array_equal(P.indices, expected.indices)
    np.testing.assert_allclose(P.data, expected.data, atol=1e-5)
