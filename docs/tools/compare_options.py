"""Train with one option after another on the features of a run, and print what each gives and costs.

    kedro run --pipelines=ingestion,vectorization
    python docs/tools/compare_options.py data                          every group
    python docs/tools/compare_options.py data clustering search        these groups

Every row changes one thing in the default settings of a run. A tenth of the training documents is held out
and predicted by the tree alone, without memory and calibration; test documents play no part. Seconds are CPU
seconds of indexing and training, milliseconds the CPU time of one document's search.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import larix
from larix import ClusteringParams, Ensemble, SearchParams, SolverParams, XRLinear, evaluate
from larix.datasets import SparseMatrixDataset
from larix.xmc.clustering_params import SamplingParams
from larix.xmc.held_out import hold_out
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.label_text import LabelTextParams, embed_label_texts
from larix.xmc.sparse import CSR

SHOWN = ("P@1", "P@5", "R@10", "PSP@5")
PIFA = RepresentationParams(feature_weights="idf")
TREE = ClusteringParams()
SOLVER = SolverParams(Cp=4.0, Cn=1.0, threshold=0.03)
SEARCH = SearchParams(beam_size=20, top_k=10)


@dataclass(frozen=True)
class Documents:
    """Some training documents, those held out, and where the labels' texts come from."""

    X: CSR
    Y: CSR
    X_held: CSR
    Y_held: CSR
    embed: Callable[[LabelTextParams], Any]


def model(**changes: Any) -> XRLinear:
    """The default settings of a run with some changes."""
    defaults = {"representation": PIFA, "clustering": TREE, "solver": SOLVER, "search": SEARCH}
    return XRLinear(**{**defaults, **changes})


def tree(**changes: Any) -> XRLinear:
    """Another clustering."""
    return model(clustering=replace(TREE, **changes))


def solver(**changes: Any) -> XRLinear:
    """Another learner."""
    return model(solver=replace(SOLVER, **changes))


def with_text(method: str, **changes: Any) -> XRLinear:
    """A representation that uses the texts of labels."""
    return model(representation=replace(PIFA, method=method, **changes))


SEEDS = {f"random_state: {seed}": model(random_state=seed) for seed in range(3)}
REPRESENTATIONS = {
    "method: pifa": model(representation=replace(PIFA, feature_weights="equal")),
    "  feature_weights: idf (default)": model(),
    "method: pii": model(representation="pii"),
    "method: graph_spectrum": model(representation="graph_spectrum"),
    "  n_components: 96": model(
        representation=RepresentationParams(method="graph_spectrum", n_components=96)
    ),
}
JOINED = {
    "method: label_text": with_text("label_text"),
    "method: pifa_lf_concat": with_text("pifa_lf_concat"),
    "  text_support: 5": with_text("pifa_lf_concat", text_support=5),
}
COMBINED = {
    "method: pifa_lf_convex_combine": with_text("pifa_lf_convex_combine"),
    "  text_weight: 0.2": with_text("pifa_lf_convex_combine", text_weight=0.2),
    "  text_support: 5": with_text("pifa_lf_convex_combine", text_support=5),
}
CLUSTERINGS = {
    "branching: 2": tree(branching=2),
    "branching: 8": tree(branching=8),
    "branching: 16 (default)": tree(),
    "branching: 32": tree(branching=32),
    "max_leaf_size: 20": tree(max_leaf_size=20),
    "max_leaf_size: 400": tree(max_leaf_size=400),
    "size_slack: 1": tree(size_slack=1),
    "size_slack: 3": tree(size_slack=3),
    "spherical: false": tree(spherical=False),
    "sampling: {}": tree(sampling=SamplingParams()),
    "family: neighbors": tree(family="neighbors"),
}
SOLVERS = {
    "Cp: 1": solver(Cp=1),
    "Cp: 4 (default)": model(),
    "Cp: 16": solver(Cp=16),
    "loss: hinge": solver(loss="hinge"),
    "loss: logistic": solver(loss="logistic"),
    "threshold: 0": solver(threshold=0),
    "threshold: 0.1": solver(threshold=0.1),
}
NEGATIVES = {
    "tfn (default)": model(),
    "tfn+man, ranking": model(ranker_negatives="tfn+man"),
    "tfn+man, both stages": model(ranker_negatives="tfn+man", matcher_negatives="tfn+man"),
    "man, ranking": model(ranker_negatives="man"),
}
SEARCHES = {
    "beam_size: 5": {"beam_size": 5},
    "beam_size: 10": {"beam_size": 10},
    "beam_size: 20 (default)": {},
    "beam_size: 50": {"beam_size": 50},
    "post_processor: sigmoid": {"post_processor": "sigmoid"},
    "post_processor: l1-hinge": {"post_processor": "l1-hinge"},
    "post_processor: l2-hinge": {"post_processor": "l2-hinge"},
    "post_processor: l4-hinge": {"post_processor": "l4-hinge"},
    "post_processor: noop": {"post_processor": "noop"},
}
MEMBERS = [model(random_state=1), tree(branching=8), model(representation="pii"), model(random_state=4)]
RULES = ("average", "rank_average", "sigmoid_average", "softmax_average", "round_robin")


def rows_of(group: str, data: Documents, texts: dict[str, LabelTextParams]) -> Iterator[tuple[Any, ...]]:
    """Title, seconds of training, fitted model of every row of a group."""
    if group == "label_text":
        for source, params in texts.items():
            features = data.embed(params)
            options = {**JOINED, **(COMBINED if features.shape[1] == data.X.shape[1] else {})}
            for title, unfitted in options.items():
                yield f"{source}, {title.strip()}", *fitted(unfitted, data, label_features=features)
    elif group == "search":
        seconds, found = fitted(model(), data)
        for title, changes in SEARCHES.items():
            yield title, seconds, found.set_params(search=replace(SEARCH, **changes))
    elif group == "ensemble":
        parts = [fitted(unfitted, data) for unfitted in (model(), *MEMBERS)]
        spent, models = zip(*parts, strict=True)
        yield "1 tree (default)", spent[0], models[0]
        for n in (2, 3, 5):
            yield f"{n} trees", sum(spent[:n]), Ensemble.of(models[:n])
        for rule in RULES[1:]:
            yield f"3 trees, rule: {rule}", sum(spent[:3]), Ensemble.of(models[:3], rule)
    else:
        for title, unfitted in GROUPS[group].items():
            yield title, *fitted(unfitted, data)


GROUPS: dict[str, dict[str, XRLinear]] = {
    "seeds": SEEDS,
    "representation": REPRESENTATIONS,
    "label_text": {},
    "clustering": CLUSTERINGS,
    "solver": SOLVERS,
    "negatives": NEGATIVES,
    "search": {},
    "ensemble": {},
}


def fitted(unfitted: XRLinear, data: Documents, **given: Any) -> tuple[float, XRLinear]:
    """CPU seconds, and the model."""
    started = time.process_time()
    found = unfitted.fit(data.X, data.Y, **given)
    return time.process_time() - started, found


def read_documents(folder: Path, share: float) -> Documents:
    """What ingestion and vectorization left in a data folder."""
    corpus, features = (
        larix.load(folder / "03_primary/corpus"),
        larix.load(folder / "04_feature/text_features"),
    )
    X, Y = (
        SparseMatrixDataset(filepath=str(folder / "05_model_input" / name)).load()
        for name in ("train_instances", "train_labels")
    )
    held = hold_out(Y, share)

    def embed(params: LabelTextParams) -> Any:
        texts = corpus.label_texts or corpus.label_names
        return embed_label_texts(texts, params, text_features=features)

    return Documents(X[~held], Y[~held], X[held], Y[held], embed)


def main() -> None:
    """Print a table for every group."""
    parser = argparse.ArgumentParser(description="Compare options on held-out training documents.")
    parser.add_argument("data", type=Path, help="data folder of a run, such as data")
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)} [default: all]")
    parser.add_argument("--word-vectors", help="folder of word vectors, for label_text")
    parser.add_argument("--encoder", help="folder of a sentence encoder, for label_text")
    arguments = parser.parse_args()
    texts = {source: LabelTextParams(source) for source in ("document_features", "own_features")}
    for source, folder in (("word_vectors", arguments.word_vectors), ("sentence_encoder", arguments.encoder)):
        if folder:
            texts[source] = LabelTextParams(source, folder=folder)
    data = read_documents(arguments.data, 0.1)
    print(f"{data.X.shape[0]:,} documents, {data.X_held.shape[0]:,} held out, {data.Y.shape[1]:,} labels")
    for group in arguments.groups or GROUPS:
        print(f"\n{group:50}", *(f"{name:>6}" for name in SHOWN), "     s     ms     MB")
        for title, seconds, found in rows_of(group, data, texts):
            print(f"{title:50}", *quality_and_cost(found, seconds, data), flush=True)


def quality_and_cost(found: XRLinear | Ensemble, seconds: float, data: Documents) -> list[str]:
    """Cells of a row."""
    started = time.process_time()
    P = found.predict(data.X_held, top_k=10)
    milliseconds = 1000 * (time.process_time() - started) / data.X_held.shape[0]
    metrics = evaluate(P, data.Y_held, data.Y).metrics
    quality = [f"{100 * metrics[name]:6.2f}" for name in SHOWN]
    return [*quality, f"{seconds:6.0f}", f"{milliseconds:6.2f}", f"{found.size_bytes() / 1e6:6.0f}"]


if __name__ == "__main__":
    main()
