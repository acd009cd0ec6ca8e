"""larix at the settings that libpecos has too."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from larix import ClusteringParams, SearchParams, SolverParams, XRLinear, cluster_labels, represent_labels

CLUSTERING = ClusteringParams(branching=16, max_leaf_size=100, spherical=True, max_iter=20)
SOLVER = SolverParams(loss="squared-hinge", Cp=1.0, Cn=1.0, eps=0.1, bias=1.0, threshold=0.1)
SEARCH = SearchParams(beam_size=10, top_k=10, post_processor="l3-hinge")


class Adapter:
    """XR-Linear, stage by stage."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads

    def warm_up(self) -> None:
        """Load kernels, or compile them."""
        X = csr_array(np.eye(8, dtype=np.float32))
        small = ClusteringParams(branching=2, max_leaf_size=2)
        XRLinear(clustering=small, n_threads=self.n_threads).fit(X, X).predict(X)

    def prepare(self, matrices: Path, work: Path) -> None:
        """Nothing to do: matrices are what it takes."""

    def fit(self, X: Any, Y: Any, seed: int) -> dict[str, float]:
        """Represent, cluster, train."""
        begin, cpu = time.perf_counter(), time.process_time()
        Z = represent_labels(X, Y, "pifa")
        represented = time.perf_counter()
        tree = cluster_labels(Z, CLUSTERING, random_state=seed, n_threads=self.n_threads)
        clustered, indexing_cpu = time.perf_counter(), time.process_time() - cpu
        del Z
        model = XRLinear(solver=SOLVER, search=SEARCH, n_threads=self.n_threads, random_state=seed)
        self.model = model.fit(X, Y, tree)
        return {
            "representation_s": represented - begin,
            "clustering_s": clustered - represented,
            "indexing_s": clustered - begin,
            "indexing_cpu_s": indexing_cpu,
            "solving_s": time.perf_counter() - clustered,
        }

    def save(self, folder: Path) -> None:
        """Write the model folder."""
        self.model.save(folder)

    def save_rounded(self, folder: Path) -> None:
        """Write the model with weights of 16 bits."""
        self.model.rounded().save(folder)

    def load(self, folder: Path) -> None:
        """Read it, digests checked."""
        self.model = XRLinear.load(folder)

    def load_unverified(self, folder: Path) -> None:
        """Read it as a memory map, without checking digests."""
        self.model = XRLinear.load(folder, verify=False)

    def use_threads(self, n_threads: int) -> None:
        """Threads of prediction."""
        self.model.n_threads = n_threads

    def predict(self, X: Any, top_k: int) -> Any:
        """Scores of a batch."""
        return self.model.predict(X, top_k=top_k)

    def row(self, x: Any) -> Any:
        """As it is."""
        return x

    def predict_one(self, row: Any, top_k: int) -> Any:
        """Scores of a row."""
        return self.model.predict(row, top_k=top_k)
