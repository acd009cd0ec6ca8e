"""libpecos' XR-Linear."""

import time
from pathlib import Path
from typing import Any

from pecos.xmc import Indexer, LabelEmbeddingFactory
from pecos.xmc.base import HierarchicalKMeans
from pecos.xmc.xlinear.model import XLinearModel
from scipy.sparse import csr_matrix

CLUSTERING = {"nr_splits": 16, "max_leaf_size": 100, "spherical": True, "kmeans_max_iter": 20}
SOLVER = {
    "solver_type": "L2R_L2LOSS_SVC_DUAL",
    "Cp": 1.0,
    "Cn": 1.0,
    "bias": 1.0,
    "threshold": 0.1,  # its eps is fixed at 0.1
    "neg_mining_chain": "tfn",
}
SEARCH = {"beam_size": 10, "only_topk": 10, "post_processor": "l3-hinge"}


class Adapter:
    """XR-Linear, stage by stage."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads

    def warm_up(self) -> None:
        """Nothing to do: its library is loaded when it is imported."""

    def prepare(self, matrices: Path, work: Path) -> None:
        """Nothing to do: matrices are what it takes."""

    def fit(self, X: Any, Y: Any, seed: int) -> dict[str, float]:
        """Represent, cluster, train."""
        begin, cpu = time.perf_counter(), time.process_time()
        X, Y = csr_matrix(X), csr_matrix(Y).tocsc()
        Z = LabelEmbeddingFactory.create(Y, X, method="pifa")
        represented = time.perf_counter()
        params = HierarchicalKMeans.TrainParams.from_dict(
            {**CLUSTERING, "seed": seed, "threads": self.n_threads}, recursive=True
        )
        chain = Indexer.gen(Z, train_params=params)
        clustered, indexing_cpu = time.perf_counter(), time.process_time() - cpu
        del Z
        solver = XLinearModel.TrainParams.from_dict({**SOLVER, "threads": self.n_threads}, recursive=True)
        search = XLinearModel.PredParams.from_dict(SEARCH, recursive=True)
        self.model = XLinearModel.train(X, Y, C=chain, train_params=solver, pred_params=search)
        return {
            "representation_s": represented - begin,
            "clustering_s": clustered - represented,
            "indexing_s": clustered - begin,
            "indexing_cpu_s": indexing_cpu,
            "solving_s": time.perf_counter() - clustered,
        }

    def save(self, folder: Path) -> None:
        """Write the model folder."""
        self.model.save(str(folder))

    def load(self, folder: Path) -> None:
        """Read it for prediction alone, its faster way."""
        self.model = XLinearModel.load(str(folder), is_predict_only=True)

    def use_threads(self, n_threads: int) -> None:
        """Threads of prediction."""
        self.n_threads = n_threads

    def predict(self, X: Any, top_k: int) -> Any:
        """Scores of a batch."""
        return self.model.predict(csr_matrix(X), only_topk=top_k, threads=self.n_threads)

    def row(self, x: Any) -> Any:
        """The class of matrix it takes."""
        return csr_matrix(x)

    def predict_one(self, row: Any, top_k: int) -> Any:
        """Scores of a row."""
        return self.model.predict(row, only_topk=top_k, threads=self.n_threads)
