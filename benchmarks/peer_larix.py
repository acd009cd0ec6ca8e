"""larix at libpecos' settings, for a harness that measures libraries on the same matrices.

    python benchmarks/peer_larix.py --data DIR      (with the harness on PYTHONPATH)

DIR holds X_trn.npz, Y_trn.npz, X_tst.npz and Y_tst.npz. One JSON line comes out.
"""

import time
from itertools import pairwise

import harness

from larix import ClusteringParams, SearchParams, SolverParams, XRLinear, cluster_labels, represent_labels
from larix.xmc.sparse import check_csr


class Larix:
    """PIFA, spherical k-means (B = 16, leaves of 100), squared hinge, threshold 0.1, tfn, beam 10."""

    name = "larix-xrlinear"

    def __init__(self, args):
        self.args = args
        self.warm_up()

    def warm_up(self):
        """Load compiled kernels, as libpecos loads its library on import."""
        import numpy as np

        X = check_csr(np.eye(8, dtype=np.float32))
        params = ClusteringParams(branching=2, max_leaf_size=2)
        XRLinear(clustering=params, n_threads=2).fit(X, X).predict(X)

    def train(self, X, Y):
        """Fit; the seconds of each stage."""
        args, times = self.args, [time.perf_counter()]
        X, Y = check_csr(X), check_csr(Y)
        Z = represent_labels(X, Y)
        times.append(time.perf_counter())
        tree = cluster_labels(
            Z, ClusteringParams(branching=16, max_leaf_size=args.leaf), n_threads=args.threads
        )
        del Z
        times.append(time.perf_counter())
        self.model = XRLinear(
            solver=SolverParams(threshold=0.1), search=SearchParams(beam_size=args.beam, top_k=args.topk),
            ranker_negatives=args.neg, n_threads=args.threads,
        ).fit(X, Y, tree)  # fmt: skip
        times.append(time.perf_counter())
        pifa, cluster, fit = (round(b - a, 2) for a, b in pairwise(times))
        return {
            "pifa_s": pifa,
            "cluster_s": cluster,
            "fit_s": fit,
            "depth": tree.depth,
            "weight_nnz": len(self.model.weights_.weights),
        }

    def save(self, path):
        """Write the model."""
        self.model.save(path)

    def load(self, path):
        """Read the model, digests checked."""
        self.model = XRLinear.load(path)
        self.model.n_threads = self.args.threads

    def predict(self, X, k):
        """Batch."""
        return self.model.predict(X, top_k=k)

    def single(self):
        """From now on rows come one by one."""
        self.model.n_threads = 1

    def predict_one(self, x, k):
        """One row, one thread."""
        return self.model.predict(x, top_k=k)


def options(parser):
    """Arguments beside the harness' own."""
    parser.add_argument("--leaf", type=int, default=100)
    parser.add_argument("--neg", default="tfn")


if __name__ == "__main__":
    harness.main(Larix, options)
