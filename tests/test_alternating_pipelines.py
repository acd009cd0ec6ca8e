"""Pipelines share the names of artefacts, so each takes the other's place; none is taken for the other."""

import hashlib
from pathlib import Path

from larix.runs.ledger import RunLedger, newest_models


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*.safetensors"))
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def results(project) -> list[dict[str, str]]:
    """Digests of the newest predictions and classifier."""
    return [digests(project.newest(name)) for name in ("07_model_output/predictions", "06_models/classifier")]


def test_what_another_pipeline_took_the_place_of_is_made_anew(run_project, encoder_folder):
    params = {
        "embedding": {"encoder": {"folder": str(encoder_folder), "package": None}},
        "embedding_memory": {"contrastive": None},
    }

    def run(*pipelines: str) -> list[dict[str, str]]:
        run_project.run(pipeline_names=list(pipelines), params=params, only_missing_outputs=True)
        return results(run_project)

    linear = results(run_project)
    corpus = run_project.snapshot()["data/tiny/03_primary/corpus/model.json"]
    frozen = run("frozen_encoder")
    assert frozen != linear
    assert run() == linear
    assert run("frozen_encoder") == frozen
    assert run_project.snapshot()["data/tiny/03_primary/corpus/model.json"] == corpus

    runs = RunLedger(run_project.folder).runs()
    assert [record.model for record in runs] == ["frozen_memory", "linear", "frozen_memory", "linear"]
    again, first = runs[0].counts, runs[2].counts
    assert again["texts encoded"] < again["texts from the cache"] <= first["texts encoded"]
    assert list(newest_models(runs, runs[0].test_set)) == ["linear", "frozen_memory"]
