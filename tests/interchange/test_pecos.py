import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import scipy.sparse as sp

from larix import LabelTree, SearchParams, XRLinear
from larix.interchange import PecosFormatError, export_pecos, import_pecos
from larix.xmc.beam_search import PostProcessor
from tests.xmc.data import documents, random_tree

GOLDEN = Path(__file__).parents[1] / "data" / "libpecos"


def golden(name):
    return sp.csr_array(sp.load_npz(GOLDEN / f"{name}.npz"))


def same_predictions(P, expected, rtol=1e-5):
    expected.sort_indices()
    P.sort_indices()
    assert np.array_equal(P.indices, expected.indices)
    np.testing.assert_allclose(P.data, expected.data, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("post_processor", get_args(PostProcessor))
def test_an_imported_model_predicts_what_libpecos_predicts(post_processor):
    model = import_pecos(GOLDEN / "model")
    model.search = replace(model.search, post_processor=post_processor)
    same_predictions(model.predict(golden("X_test"), beam_size=4, top_k=8), golden(f"model-{post_processor}"))


def test_settings_of_the_search_come_along():
    assert import_pecos(GOLDEN / "model").search == SearchParams(
        beam_size=9, top_k=9, post_processor="l3-hinge"
    )


def test_exporting_and_importing_gives_the_same_model(tmp_path):
    X, Y = documents(200, 40, 30, seed=0)
    search = SearchParams(beam_size=3, top_k=6, post_processor=("l3-hinge", "l2-hinge", "noop"))
    model = XRLinear(search=search).fit(X, Y, random_tree(30, [2, 6]))
    export_pecos(model, tmp_path / "pecos")
    again = import_pecos(tmp_path / "pecos")
    assert again.search == search
    same_predictions(again.predict(X), model.predict(X))


def test_further_slots_of_a_label_become_pseudo_labels(tmp_path):
    X, Y = documents(200, 40, 30, seed=0)
    model = XRLinear(search=SearchParams(beam_size=6, top_k=40)).fit(X, Y, random_tree(30, [6], n_copies=8))
    export_pecos(model, tmp_path / "pecos")
    names = json.loads((tmp_path / "pecos" / "pseudo_labels.json").read_text())
    assert names["n_labels"] == 30
    assert len(names["pseudo_labels"]) == 8
    wide = import_pecos(tmp_path / "pecos").predict(X).toarray()
    assert wide.shape == (200, 38)
    merged = wide[:, :30].copy()
    for column, label in enumerate(names["pseudo_labels"]):
        merged[:, label] = np.maximum(merged[:, label], wide[:, 30 + column])
    np.testing.assert_allclose(merged, model.predict(X).toarray(), rtol=1e-5)


@pytest.mark.skipif(
    "LARIX_PECOS_PYTHON" not in os.environ, reason="LARIX_PECOS_PYTHON names no Python with libpecos"
)
@pytest.mark.parametrize("predict_only", [True, False])
def test_libpecos_predicts_the_same_from_an_exported_model(tmp_path, predict_only):
    X, Y = documents(200, 40, 30, seed=0)
    model = XRLinear(search=SearchParams(beam_size=4, top_k=6)).fit(X, Y, random_tree(30, [3, 8]))
    export_pecos(model, tmp_path / "pecos")
    sp.save_npz(tmp_path / "X.npz", sp.csr_matrix(X))
    script = (
        "import scipy.sparse as sp; from pecos.xmc.xlinear.model import XLinearModel; "
        f"m = XLinearModel.load({str(tmp_path / 'pecos')!r}, is_predict_only={predict_only}); "
        f"X = sp.load_npz({str(tmp_path / 'X.npz')!r}).tocsr(); "
        f"sp.save_npz({str(tmp_path / 'P.npz')!r}, m.predict(X, beam_size=4, only_topk=6, threads=1))"
    )
    subprocess.run([os.environ["LARIX_PECOS_PYTHON"], "-c", script], check=True)
    same_predictions(model.predict(X), sp.csr_array(sp.load_npz(tmp_path / "P.npz")))


def spoil_json(path, **changes):
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **changes}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: (m / "ranker/param.json").unlink(), r"ranker/param.json: .* is missing"),
        (lambda m: (m / "ranker/param.json").write_text("{"), r"ranker/param.json: must be JSON"),
        (lambda m: (m / "ranker/param.json").write_text("[]"), r"must hold a JSON object"),
        (
            lambda m: spoil_json(m / "ranker/param.json", depth="3"),
            r"depth must be a sensible number, but is '3'",
        ),
        (lambda m: spoil_json(m / "ranker/param.json", depth=4), r"3.model/param.json: .* is missing"),
        (lambda m: spoil_json(m / "ranker/1.model/param.json", bias=2.0), r"one bias"),
        (lambda m: (m / "ranker/1.model/W.npz").unlink(), r"1.model/W.npz: .* is missing"),
        (
            lambda m: (m / "ranker/1.model/W.npz").write_bytes(b"PK"),
            r"1.model/W.npz: must be a scipy sparse matrix",
        ),
        (
            lambda m: shutil.copy(m / "ranker/0.model/W.npz", m / "ranker/1.model/W.npz"),
            r"must have 16 columns",
        ),
        (lambda m: shutil.copy(m / "ranker/0.model/C.npz", m / "ranker/2.model/C.npz"), r"form no tree"),
        (
            lambda m: spoil_json(m / "ranker/1.model/param.json", pred_kwargs={"post_processor": "exp"}),
            r"1.model/param.json: post_processor must be one of",
        ),
    ],
)
def test_malformed_folders_are_refused_by_file(tmp_path, spoil, message):
    shutil.copytree(GOLDEN / "model", tmp_path / "model")
    spoil(tmp_path / "model")
    with pytest.raises(PecosFormatError, match=message):
        import_pecos(tmp_path / "model")


def test_a_label_under_two_parents_is_refused(tmp_path):
    shutil.copytree(GOLDEN / "model", tmp_path / "model")
    path = tmp_path / "model/ranker/2.model/C.npz"
    C = sp.load_npz(path).tolil()
    C[0, :2] = 1
    sp.save_npz(path, C.tocsc())
    with pytest.raises(PecosFormatError, match="every label must have one cluster"):
        import_pecos(tmp_path / "model")


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("dear")
    X, Y = documents(50, 20, 5, seed=0)
    with pytest.raises(FileExistsError):
        export_pecos(XRLinear().fit(X, Y), tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "dear"


def test_the_order_of_nodes_in_a_chain_is_told():
    chain = [np.ones((2, 1)), np.array([[0, 1], [1, 0]]), np.array([[1, 0], [0, 1], [1, 0]])]
    tree, orders = LabelTree.from_chain_with_order(chain)
    assert [order.tolist() for order in orders] == [[0, 1], [1, 0], [1, 0, 2]]
    assert tree.slot_label.tolist() == [1, 0, 2]
