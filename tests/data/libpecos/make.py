"""Make the golden files of this folder by running libpecos 1.2.8 on synthetic data.

    python -m venv pecos
    pecos/bin/pip install "numpy<2" "scipy<1.14" scikit-learn
    pecos/bin/pip install --no-deps libpecos==1.2.8
    pecos/bin/python make.py

Threshold 0, eps 1e-5 and 3,000 iterations, so that every correct solver of the convex problem must agree.
"""

import json
import pathlib

import numpy as np
import scipy.sparse as sp
from pecos.core import clib  # noqa: F401 (fails early when the wheel is broken)
from pecos.xmc import Indexer, LabelEmbeddingFactory
from pecos.xmc.base import ClusterChain, HierarchicalKMeans
from pecos.xmc.xlinear.model import XLinearModel

HERE = pathlib.Path(__file__).parent
N, N_TEST, D, L = 240, 30, 60, 54
POST_PROCESSORS = ["noop", "sigmoid", "log-sigmoid"] + [
    f"{log}l{p}-hinge" for log in ("", "log-") for p in (1, 2, 3, 4)
]
RUNS = {
    "tfn": {"negative_sampling_scheme": "tfn"},
    "costs": {"negative_sampling_scheme": "tfn", "Cp": 4.0, "Cn": 0.5},
    "man": {"negative_sampling_scheme": "tfn+man"},
    "relevance": {"negative_sampling_scheme": "tfn", "Cp": 4.0, "rel_mode": "induce", "rel_norm": "l1"},
    "hinge": {"negative_sampling_scheme": "tfn", "solver_type": "L2R_L1LOSS_SVC_DUAL"},
}


def documents(rng, n, topics):
    """Documents of one to three labels; a label's documents share features."""
    Y = np.zeros((n, L), np.float32)
    X = (rng.random((n, D)) < 0.08) * rng.random((n, D))
    for i in range(n):
        for label in rng.choice(L, rng.integers(1, 4), replace=False):
            Y[i, label] = 1
            X[i] += topics[label] * (rng.random(D) < 0.7)
    X /= np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)
    return sp.csr_matrix(X.astype(np.float32)), sp.csr_matrix(Y)


def chain(rng):
    """3 / 9 / 54 nodes, labels in random order and clusters of uneven size."""
    leaf = rng.permutation(np.minimum(np.arange(L) // 5, 8))
    parents = [np.zeros(3, int), np.arange(9) // 3, leaf]
    sizes = [1, 3, 9]
    return [
        sp.csc_matrix((np.ones(len(p), np.float32), (np.arange(len(p)), p)), shape=(len(p), n))
        for p, n in zip(parents, sizes, strict=True)
    ]


def save_model(X, Y, X_test, files):
    """A whole model as libpecos saves it, and what libpecos predicts from it."""
    Z = LabelEmbeddingFactory.create(Y.tocsc(), X, method="pifa")
    tree = {"nr_splits": 4, "max_leaf_size": 5, "seed": 0, "threads": 1}
    C = Indexer.gen(Z, train_params=HierarchicalKMeans.TrainParams.from_dict(tree, recursive=True))
    predict = {"beam_size": 7, "only_topk": 9, "post_processor": "l3-hinge"}
    model = XLinearModel.train(
        X,
        Y.tocsc(),
        C=C,
        train_params=XLinearModel.TrainParams.from_dict({"threshold": 0.1, "threads": 1}, recursive=True),
        pred_params=XLinearModel.PredParams.from_dict(predict, recursive=True),
    )
    model.save(str(HERE / "model"))
    for post in POST_PROCESSORS:
        files[f"model-{post}"] = model.predict(
            X_test, beam_size=4, only_topk=8, post_processor=post, threads=1
        )


def main():
    rng = np.random.default_rng(11)
    topics = (rng.random((L, D)) < 0.08) * rng.random((L, D))
    X, Y = documents(rng, N, topics)
    X_test, _ = documents(rng, N_TEST, topics)
    C = chain(rng)
    files = {"X": X, "Y": Y, "X_test": X_test, **{f"C{t}": c for t, c in enumerate(C)}}
    for method in ("pifa", "pii"):
        files[method] = LabelEmbeddingFactory.create(Y.tocsc(), X, method=method)
    manifest = {"libpecos": "1.2.8", "runs": {}}
    for run, params in RUNS.items():
        train = {"solver_type": "L2R_L2LOSS_SVC_DUAL", "bias": 1.0, "threshold": 0.0, "eps": 1e-5}
        train |= {
            "max_iter": 3000,
            "threads": 1,
            "neg_mining_chain": params["negative_sampling_scheme"],
            **params,
        }
        predict = {"beam_size": 3, "only_topk": 10, "post_processor": "l3-hinge"}
        model = XLinearModel.train(
            X,
            Y.tocsc(),
            C=ClusterChain(C),
            train_params=XLinearModel.TrainParams.from_dict(train, recursive=True),
            pred_params=XLinearModel.PredParams.from_dict(predict, recursive=True),
        )
        for level, one in enumerate(model.model.model_chain):
            files[f"{run}.W{level}"] = one.W
        manifest["runs"][run] = params
        for post in POST_PROCESSORS if run == "tfn" else ["l3-hinge"]:
            for beam, top_k in ((2, 5), (5, 10)):
                P = model.predict(X_test, beam_size=beam, only_topk=top_k, post_processor=post, threads=1)
                files[f"{run}.{post}.{beam}.{top_k}"] = P
    save_model(X, Y, X_test, files)
    for name, matrix in files.items():
        sp.save_npz(HERE / f"{name}.npz", matrix)
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
