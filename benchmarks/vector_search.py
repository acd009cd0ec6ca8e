"""Libraries for approximate search, beside exact search, on the embeddings of a corpus.

Queries are test documents, and what is searched are the training documents. Recall is the share of the true
20 nearest among the 20 found. Milliseconds are of one query alone, as an application asks, and of a query
among a thousand; all on one thread. Libraries that aren't installed are left out.
"""

import argparse
import importlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import larix
from benchmarks.memories import ENCODER
from benchmarks.page import table
from larix.xmc.nearest_vectors import nearest_vectors
from larix.xmc.vector_cells import VectorCells

K, N_QUERIES, N_ALONE = 20, 1000, 200
LINKS, BUILD_WIDTH = 16, 200  # of a graph: neighbours of a vector, and candidates when it is put in

Vectors = NDArray[np.float32]
Search = Callable[[Vectors, int], NDArray[Any]]


@dataclass(frozen=True)
class Competitor:
    """A library with one kind of index: how it is built, and what widths of search are tried."""

    module: str
    kind: str
    build: Callable[[Any, Vectors], Search]
    widths: tuple[int, ...]


def _hnswlib(library: Any, V: Vectors) -> Search:
    index = library.Index(space="ip", dim=V.shape[1])
    index.init_index(max_elements=len(V), M=LINKS, ef_construction=BUILD_WIDTH, random_seed=0)
    index.set_num_threads(1)
    index.add_items(V, num_threads=1)

    def search(Q: Vectors, width: int) -> NDArray[Any]:
        index.set_ef(width)
        return index.knn_query(Q, k=K, num_threads=1)[0]

    return search


def _usearch(library: Any, V: Vectors) -> Search:
    index = library.Index(
        ndim=V.shape[1], metric="ip", dtype="f32", connectivity=LINKS, expansion_add=BUILD_WIDTH
    )
    index.add(np.arange(len(V)), V, threads=1)

    def search(Q: Vectors, width: int) -> NDArray[Any]:
        index.expansion_search = width
        return index.search(Q, K, threads=1).keys

    return search


def _faiss_graph(faiss: Any, V: Vectors) -> Search:
    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(V.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_WIDTH
    index.add(V)

    def search(Q: Vectors, width: int) -> NDArray[Any]:
        index.hnsw.efSearch = width
        return index.search(Q, K)[1]

    return search


def _larix(_: Any, V: Vectors) -> Search:
    index = VectorCells.of(V, n_threads=1).search(V)
    return lambda Q, _: index.nearest(Q, K, n_threads=1)[0]


def _faiss_cells(faiss: Any, V: Vectors) -> Search:
    faiss.omp_set_num_threads(1)
    n_cells, d = round(4 * np.sqrt(len(V))), V.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, n_cells, faiss.METRIC_INNER_PRODUCT)
    index.own_fields = False
    index.train(V)
    index.add(V)

    def search(Q: Vectors, width: int) -> NDArray[Any]:
        index.nprobe = width
        return index.search(Q, K)[1]

    return search


COMPETITORS = (
    Competitor("hnswlib", "graph (HNSW)", _hnswlib, (50, 100, 200)),
    Competitor("usearch.index", "graph (HNSW)", _usearch, (50, 100, 200)),
    Competitor("faiss", "graph (HNSW)", _faiss_graph, (50, 100, 200)),
    Competitor("faiss", "cells (IVF)", _faiss_cells, (8, 16, 32, 64)),
    Competitor("faiss", "cells, as larix has them", _larix, (0,)),
)

LIBRARIES = tuple(dict.fromkeys(competitor.module.split(".")[0] for competitor in COMPETITORS))


def measure(V: Vectors, Q: Vectors, libraries: Collection[str] = LIBRARIES) -> Iterator[list[str]]:
    """Rows of the table."""
    begun = time.perf_counter()
    true = nearest_vectors(Q, V, K, n_threads=1)[0]
    together = time.perf_counter() - begun
    alone = _alone(lambda q, _: nearest_vectors(q, V, K, n_threads=1)[0], Q, 0)
    yield ["larix", "exact", "", f"{len(V):,}", "0", "1.000", *_milliseconds(alone, together, Q)]
    for competitor in COMPETITORS:
        name = competitor.module.split(".")[0]
        if name not in libraries:
            continue
        try:
            library = importlib.import_module(competitor.module)
        except ModuleNotFoundError:
            continue
        begun = time.process_time()
        search = competitor.build(library, V)
        built = time.process_time() - begun
        for width in competitor.widths:
            begun = time.perf_counter()
            found = search(Q, width)
            together = time.perf_counter() - begun
            alone = _alone(search, Q, width)
            yield [
                competitor.module.split(".")[0], competitor.kind, str(width), f"{len(V):,}", f"{built:.1f}",
                f"{_recall(found, true):.3f}", *_milliseconds(alone, together, Q),
            ]  # fmt: skip


def _recall(found: NDArray[Any], true: NDArray[Any]) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, true, strict=True)]))


def _alone(search: Search, Q: Vectors, width: int) -> float:
    """Median seconds of a query alone."""
    seconds = []
    for q in Q[:N_ALONE]:
        begun = time.perf_counter()
        search(q[None], width)
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))


def _milliseconds(alone: float, together: float, Q: Vectors) -> list[str]:
    return [f"{1000 * alone:.2f}", f"{1000 * together / len(Q):.2f}"]


def main() -> None:
    """Measure and print as it comes, then the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vector_search", description="Compare libraries for approximate search."
    )
    parser.add_argument("data", type=Path, help="data folder of a run on texts, such as data")
    parser.add_argument("--sizes", default="", help="so many documents instead of all, as in 10000,30000")
    parser.add_argument("--libraries", default=",".join(LIBRARIES), help="beside larix")
    arguments = parser.parse_args()
    corpus = larix.load(arguments.data / "03_primary/corpus")
    encoder = ENCODER.encoder(cache_folder=arguments.data / "04_feature/embedding_cache", n_threads=1)
    V, Q = encoder.embed(corpus.train.texts), encoder.embed(corpus.test.texts[:N_QUERIES])
    order, rows = np.random.default_rng(0).permutation(len(V)), []
    for size in [int(word) for word in arguments.sizes.split(",") if word] or [len(V)]:
        for row in measure(np.ascontiguousarray(V[np.sort(order[:size])]), Q, arguments.libraries.split(",")):
            rows.append(row)
            print(*row, flush=True)
    head = ["library", "index", "width", "documents", "build, CPU s", "recall", "ms alone", "ms among 1,000"]
    print(table(head, rows, n_text=2))


if __name__ == "__main__":
    main()
