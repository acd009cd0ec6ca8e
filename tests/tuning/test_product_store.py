"""Products are made once, kept within a limit, and shared."""

import multiprocessing
import time

import numpy as np
import pytest
import scipy.sparse as sp

from larix.tuning.product_store import ProductStore, product_key
from larix.xmc.beam_search import SearchParams
from larix.xmc.clustering import cluster_labels
from larix.xmc.linear_stages import LinearRanker


def matrix(n=4, seed=0):
    return sp.random_array((n, 5), density=0.5, rng=seed, format="csr", dtype=np.float32)


class Maker:
    """Counts how often it makes something."""

    def __init__(self, n=4):
        self.n, self.n_made = n, 0

    def __call__(self):
        self.n_made += 1
        return {"matrix": matrix(self.n)}


@pytest.fixture
def store(tmp_path):
    return ProductStore(tmp_path, max_mb=100)


def test_a_product_is_made_once_and_read_by_another_store(store, tmp_path):
    make = Maker()
    first, second = (store.get("tree", {"seed": 1}, make) for _ in range(2))
    other = ProductStore(tmp_path, max_mb=100).get("tree", {"seed": 1}, make)
    assert make.n_made == 1
    assert (first.made, second.made, other.made) == (True, False, False)
    assert (other["matrix"] != first["matrix"]).nnz == 0


def test_what_affects_a_product_is_part_of_its_key(store):
    base = {"params": SearchParams(), "seed": 0}
    upstream = store.get("features", {}, Maker())
    keys = [
        product_key("tree", base),
        product_key("ranker", base),
        product_key("tree", {**base, "seed": 1}),
        product_key("tree", {**base, "params": SearchParams(beam_size=3)}),
        product_key("tree", {**base, "features": upstream}),
    ]
    assert len(set(keys)) == len(keys)
    assert product_key("tree", {"seed": 0, "params": SearchParams()}) == keys[0]


def test_a_damaged_product_is_made_again(store, tmp_path):
    make = Maker()
    store.get("tree", {}, make)
    (arrays,) = tmp_path.rglob("arrays.safetensors")
    arrays.write_bytes(arrays.read_bytes()[:-3])
    assert ProductStore(tmp_path, max_mb=100).get("tree", {}, make).made
    assert make.n_made == 2


def test_what_was_used_longest_ago_goes_first(tmp_path):
    store = ProductStore(tmp_path, max_mb=0.02)
    for seed in range(3):
        store.get(f"stage{seed}", {}, Maker(200))
        time.sleep(0.02)
    store.get("stage0", {}, Maker(200))  # used again
    time.sleep(0.02)
    store.get("stage3", {}, Maker(800))
    assert store.size_mb() <= 0.02 + 0.01
    again = ProductStore(tmp_path, max_mb=100)
    assert not again.get("stage3", {}, Maker()).made
    assert again.get("stage1", {}, Maker()).made


def test_the_newest_product_stays_even_if_it_is_too_large(tmp_path):
    ProductStore(tmp_path, max_mb=0.0001).get("tree", {}, Maker(500))
    assert not ProductStore(tmp_path, max_mb=1).get("tree", {}, Maker()).made


def test_dense_matrices_and_models_come_back_as_they_were(store, tmp_path):
    model = LinearRanker().fit(
        matrix(20), np.eye(20, 3, dtype=np.float32), cluster_labels(np.eye(3, dtype=np.float32))
    )
    parts = {"rows": np.ones((2, 3), np.float32), "ranker": model, "tree": model.tree_}
    store.get("ranker", {}, lambda: parts)
    read = ProductStore(tmp_path, max_mb=100).get("ranker", {}, Maker())
    assert read["rows"].tolist() == parts["rows"].tolist()
    assert read["ranker"].weights_.weights.tolist() == model.weights_.weights.tolist()
    assert read["tree"].n_labels == 3


def test_a_part_of_an_unknown_kind_is_not_stored(store):
    with pytest.raises(TypeError, match=r"must be a matrix or one of DocumentMemory.*but search is a"):
        store.get("tree", {}, lambda: {"search": SearchParams()})


def _make_slowly(folder, results):
    def make():
        time.sleep(0.3)
        return {"matrix": matrix()}

    results.put(ProductStore(folder, max_mb=100).get("tree", {}, make).made)


def test_of_two_processes_one_makes_and_the_other_waits(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_make_slowly, args=(tmp_path, results)) for _ in range(2)]
    for process in processes:
        process.start()
    made = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert made == [False, True]
