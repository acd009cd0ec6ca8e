"""Does the map that helps the memory help the tree?

A linear model on A e is one on e, with other weights being cheap: what A shrinks, a model must weigh more,
and weights are what its training keeps small. So the tree is trained, beside text features, on embeddings
under the map, under its rotation alone (A = R S with S symmetric), under the map with the square roots of
its singular values, by tuned top layers (memory B), and on two of these side by side. Neither map nor tree
knows the held-out training documents or the test documents, and both are measured; figures are of the
embeddings of held-out documents.
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import larix
from benchmarks.memories import ENCODER, FEATURES, METRICS, ONE_THREAD, WORK, Study
from benchmarks.page import table
from benchmarks.results import Record, append, read
from larix import TextFeatures, XRLinear, evaluate
from larix.xmc.beam_search import SearchParams
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.linear_solver import SolverParams
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR
from larix.xmc.transformer.contrastive import ContrastiveParams, learn_projection
from larix.xmc.transformer.contrastive_pairs import rarest_labels
from larix.xmc.transformer.top_layer_training import TopLayerParams

FILE = Path("08_reporting/mapped_features.jsonl")
N_SAMPLED = 4000
# The first three are singular values of the map.
FIGURES = ("largest", "median", "smallest", "random pair", "own name", "effective rank", "between siblings")

Map = NDArray[np.float32]


def maps(A: Map) -> dict[str, Map]:
    """Square maps by name."""
    U, s, V = np.linalg.svd(A.astype(np.float64))
    made = {
        "frozen": np.eye(len(A)),
        "map": A,
        "rotation of the map": U @ V,
        "half of the map": (U * np.sqrt(s)) @ V,
    }
    return {name: array.astype(np.float32) for name, array in made.items()}


def figures(study: Study, A: Map) -> dict[str, float]:
    """How embeddings of held-out documents lie under a map.

    The effective rank is (sum of eigenvalues)^2 / sum of their squares, of the second moments. What tells
    siblings apart is the share of variance within categories (labels that share all but the last letter of
    their identifiers) that lies between labels. A document counts with the rarest of its labels.
    """
    E = np.asarray(unit_rows(study.E[0] @ A.T))
    names = np.asarray(unit_rows(study.names @ A.T))
    rng = np.random.default_rng(0)
    rows = rng.choice(np.flatnonzero(study.held), min(N_SAMPLED, int(study.held.sum())), replace=False)
    own = _own_labels(study)[rows]
    eigenvalues = np.linalg.eigvalsh(E[rows].T @ E[rows])
    singular = np.linalg.svd(A, compute_uv=False)
    return {
        "largest": float(singular[0]),
        "median": float(np.median(singular)),
        "smallest": float(singular[-1]),
        "random pair": float(np.mean(np.sum(E[rows] * E[rng.permutation(rows)], axis=1))),
        "own name": float(np.mean(np.sum(E[rows] * names[own], axis=1))),
        "effective rank": float(eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()),
        "between siblings": _between_siblings(study, E),
    }


def _between_siblings(study: Study, E: Map) -> float:
    own = _own_labels(study)
    _, category = np.unique([study.corpus.label_ids[label][:-1] for label in own], return_inverse=True)
    _, label = np.unique(own, return_inverse=True)
    total = _within(E, category)
    return float((total - _within(E, label)) / total)


def _own_labels(study: Study) -> NDArray[np.int64]:
    documents, labels = rarest_labels(study.Y)
    own = np.zeros(study.Y.shape[0], np.int64)
    own[documents] = labels
    return own


def _within(E: Map, group: NDArray[Any]) -> float:
    """Sum of squared distances to the means of groups."""
    counts = np.bincount(group)
    sums = np.zeros((len(counts), E.shape[1]))
    np.add.at(sums, group, E)
    return float(np.square(E).sum() - (np.square(sums).sum(axis=1) / counts).sum())


def embeddings(study: Study, projections: dict[str, Map]) -> dict[str, tuple[Map, Map]]:
    """Of training and test documents: under maps, and by top layers that were tuned from the map on."""
    under = {
        name: tuple(np.asarray(unit_rows(E @ made.T)) for E in study.E) for name, made in projections.items()
    }
    return {**under, "tuned layers": study.memories("B")["vectors"]}


def rows_of(study: Study, parts: list[tuple[Map, Map]]) -> list[CSR]:
    """Text features of words joined with embeddings, for training and test documents."""
    corpus, features = study.corpus, TextFeatures(FEATURES["words, embedding"][0], **ONE_THREAD)
    texts = features.fit_transform(corpus.train.texts), features.transform(corpus.test.texts)
    return [unit_rows(join_columns([X, *E])) for X, *E in zip(texts, *parts, strict=True)]


def measure(study: Study, known: list[str]) -> Iterator[Record]:
    """A row for every kind of features."""
    held = study.held
    Y, seeded = study.Y[~held], {"random_state": study.seed, **ONE_THREAD}
    A = learn_projection(study.E[0][~held], Y, study.names, ContrastiveParams(), **seeded)
    projections = maps(A)
    made = embeddings(study, projections)
    for name in [name for name in (*made, "frozen + map", "frozen + tuned layers") if name not in known]:
        X, X_test = rows_of(study, [made[part] for part in name.split(" + ")])
        model = XRLinear(
            representation=RepresentationParams(feature_weights="idf"),
            solver=SolverParams(Cp=4.0, Cn=1.0, threshold=0.03), search=SearchParams(beam_size=20),
            **seeded,
        ).fit(X[~held], Y)  # fmt: skip
        asked = ("held out", X[held], study.Y[held]), ("test", X_test, study.corpus.test.labels)
        found = {part: evaluate(model.predict(rows, top_k=20), true, Y).metrics for part, rows, true in asked}
        told = {part: {m: metrics[m] for m in METRICS} for part, metrics in found.items()}
        of_map = figures(study, projections[name]) if name in projections else {}
        yield {"features": name, **told, **of_map}


def tables(rows: list[Record]) -> str:
    """Metrics, then figures, as Markdown."""
    metrics = [
        [row["features"], part, *(f"{100 * row[part][m]:.2f}" for m in METRICS)]
        for part in ("held out", "test")
        for row in rows
    ]
    told = [[row["features"], *(f"{row[name]:.3g}" for name in FIGURES)] for row in rows if FIGURES[0] in row]
    head = ["embedding", "measured on", *METRICS]
    return table(head, metrics, n_text=2) + "\n\n" + table(["embedding", *FIGURES], told)


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mapped_features", description="Measure a tree on embeddings under maps."
    )
    parser.add_argument("data", type=Path, help="data folder of a run on texts, such as data")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    file = arguments.data / FILE
    known = list(read(file).records) if file.exists() else []
    encoder = ENCODER.encoder(cache_folder=arguments.data / "04_feature/embedding_cache", **ONE_THREAD)
    corpus = larix.load(arguments.data / "03_primary/corpus")
    study = Study(corpus, encoder, 0, arguments.data / WORK, TopLayerParams(n_layers=3))
    for row in measure(study, [row["features"] for row in known]):
        append(row, file)
        print(row, flush=True)
    print(tables(list(read(file).records)))


if __name__ == "__main__":
    main()
