"""What is measured in a fresh process: training, predicting, a cold start, text to TF-IDF.

    python -m benchmarks.stages TASK        TASK is a JSON object, see `Task`

Runs in the competitor's environment, so that it may import numpy, scipy and the competitor alone.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, save_npz

from benchmarks.matrices import read_part
from benchmarks.measurement import folder_mb, measured

TOP_K = 10
N_THREADS = 2
N_WARM_ROWS, N_ROWS = 50, 500
N_BATCHES = 3
MOST_SECONDS = 20.0
PREDICTIONS = "predictions.npz"


@dataclass(frozen=True)
class Task:
    """What to measure.

    Parameters
    ----------
    stage : {"train", "predict", "cold", "text"}
    adapter : str
        Module of the competitor.
    matrices : str
        Folder of the corpus.
    work : str
        Scratch folder; the model is its subfolder `model`.
    setting : str
        Which n-grams, for "text".
    model_name : {"model", "rounded"}
        Subfolder of the model to predict with; rounded has weights of 16 bits.
    seed : int
        Of the label tree, for those who take one.
    """

    stage: str
    adapter: str
    matrices: str
    work: str
    setting: str = ""
    model_name: str = "model"
    seed: int = 0

    @property
    def model(self) -> Path:
        """Where the model is, or goes."""
        return Path(self.work) / self.model_name

    @property
    def result(self) -> Path:
        """Where the figures go."""
        return Path(self.work) / f"{self.stage}.json"

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


def train(task: Task, adapter: Any) -> dict[str, float]:
    """Fit on data that is in memory, then save."""
    adapter.prepare(Path(task.matrices), Path(task.work))
    X, Y = read_part(Path(task.matrices), "train")
    with measured() as fitting:
        parts = adapter.fit(X, Y, task.seed)
    with measured() as saving:
        adapter.save(task.model)
    if hasattr(adapter, "save_rounded"):
        rounded = Path(task.work) / "rounded"
        adapter.save_rounded(rounded)
        parts["rounded_mb"] = folder_mb(rounded)
    return {
        "train_wall_s": fitting.wall_s,
        "train_cpu_s": fitting.cpu_s,
        "train_peak_mb": fitting.peak_mb,
        "train_resident_before_mb": fitting.resident_before_mb,
        "save_s": saving.wall_s,
        "model_mb": folder_mb(task.model),
        **parts,
    }


def predict(task: Task, adapter: Any) -> dict[str, float]:
    """Load; score a batch in two threads and in one; then rows one by one. Leaves the predictions."""
    X, _ = read_part(Path(task.matrices), "test")
    with measured() as whole:
        figures = _load(task, adapter)
        for n_threads in (N_THREADS, 1):
            adapter.use_threads(n_threads)
            adapter.predict(X[:64], TOP_K)
            P, costs = _repeat(lambda: adapter.predict(X, TOP_K))
            wall, cpu = np.median(costs, axis=0) / X.shape[0] * 1e3
            figures |= {f"batch_wall_ms_{n_threads}": wall, f"batch_cpu_ms_{n_threads}": cpu}
        figures |= _one_by_one(adapter, X)
    save_npz(Path(task.work) / PREDICTIONS, csr_array(P), compressed=False)
    return {
        **figures,
        "predict_peak_mb": whole.peak_mb,
        "predict_resident_before_mb": whole.resident_before_mb,
    }


def cold(task: Task, adapter: Any, imported_s: float) -> dict[str, float]:
    """Import, load and predict one row, with nothing warmed up."""
    X, _ = read_part(Path(task.matrices), "test")
    loading = time.perf_counter()
    adapter.load(task.model)
    adapter.use_threads(1)
    loaded = time.perf_counter()
    adapter.predict_one(adapter.row(X[[0]]), TOP_K)
    return {
        "cold_import_s": imported_s,
        "cold_load_s": loaded - loading,
        "cold_first_row_s": time.perf_counter() - loaded,
    }


def text(task: Task, vectorizer: Any) -> dict[str, float]:
    """Learn a vocabulary from training texts and weigh them; then weigh test texts."""
    texts = json.loads((Path(task.matrices) / "texts.json").read_text(encoding="utf-8"))
    with measured() as fitting:
        X = vectorizer.fit_transform(texts["train"])
    with measured() as transforming:
        vectorizer.transform(texts["test"])
    return {
        "n_texts": len(texts["train"]),
        "n_features": X.shape[1],
        "fit_wall_s": fitting.wall_s,
        "fit_cpu_s": fitting.cpu_s,
        "fit_peak_mb": fitting.peak_mb,
        "transform_wall_s": transforming.wall_s,
        "transform_cpu_s": transforming.cpu_s,
    }


def _load(task: Task, adapter: Any) -> dict[str, float]:
    figures = {}
    if hasattr(adapter, "load_unverified"):
        with measured() as mapping:
            adapter.load_unverified(task.model)
        figures["load_unverified_s"] = mapping.wall_s
    with measured() as loading:
        adapter.load(task.model)
    return {**figures, "load_s": loading.wall_s}


def _repeat(call: Callable[[], Any]) -> tuple[Any, list[tuple[float, float]]]:
    """The result of a call, and (wall, CPU) seconds of each time it was made."""
    costs: list[tuple[float, float]] = []
    while len(costs) < N_BATCHES and sum(wall for wall, _ in costs) < MOST_SECONDS:
        with measured() as cost:
            result = call()
        costs.append((cost.wall_s, cost.cpu_s))
    return result, costs


def _one_by_one(adapter: Any, X: Any) -> dict[str, float]:
    """Milliseconds from the call to its result, in one thread."""
    chosen = np.random.default_rng(0).permutation(X.shape[0])[: N_WARM_ROWS + N_ROWS]
    rows = [adapter.row(X[[i]]) for i in chosen]
    milliseconds: list[float] = []
    for row in rows:
        begin = time.perf_counter()
        adapter.predict_one(row, TOP_K)
        milliseconds.append((time.perf_counter() - begin) * 1e3)
        if sum(milliseconds) > MOST_SECONDS * 1e3:
            break
    kept = milliseconds[min(N_WARM_ROWS, len(milliseconds) // 2) :]
    return {"row_ms_p50": float(np.median(kept)), "row_ms_p99": float(np.percentile(kept, 99))}


def main() -> None:
    """Run the task of the command line; leave its figures as JSON."""
    task = Task(**json.loads(sys.argv[1]))
    begin = time.perf_counter()
    module = importlib.import_module(task.adapter)
    imported_s = time.perf_counter() - begin
    if task.stage == "cold":
        figures = cold(task, module.Adapter(1), imported_s)
    elif task.stage == "text":
        figures = text(task, module.Vectorizer(task.setting, N_THREADS))
    else:
        adapter = module.Adapter(N_THREADS)
        adapter.warm_up()
        figures = {"train": train, "predict": predict}[task.stage](task, adapter)
    task.result.write_text(
        json.dumps({name: float(value) for name, value in figures.items()}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
