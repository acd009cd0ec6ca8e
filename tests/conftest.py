"""A small Kedro project with its own data, in which pipelines and commands run for real."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import settings

from tests.tiny_encoder import save_tiny_encoder

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

REPOSITORY = Path(__file__).parents[1]
TOPICS = {
    "bone": ["fracture of the wrist", "broken forearm bone", "fractured rib", "wrist bone fracture"],
    "heart": ["sudden chest pain", "irregular heart beat", "heart failure", "pain in the chest"],
    "skin": ["itching rash", "burn of the skin", "dry itching skin", "skin rash after sun"],
    "lung": ["shortness of breath", "chronic cough", "lung infection", "cough with fever"],
}


@dataclass(frozen=True)
class Project:
    """A copy of the project's configuration around a corpus of 96 documents."""

    folder: Path

    def run(self, *, env: str = "tiny", params: dict[str, Any] | None = None, **options: Any) -> Any:
        """`kedro run` in this process."""
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        with patch.dict(os.environ, LARIX_DATA=str(self.folder)):
            bootstrap_project(self.folder)
            with KedroSession.create(project_path=self.folder, env=env, runtime_params=params) as session:
                return session.run(**options)

    def command(self, *words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """A command in a process of its own, in the project's folder."""
        own = {"LARIX_DATA": str(self.folder), "DO_NOT_TRACK": "1", "COLUMNS": "120", "NO_COLOR": "1"}
        module = {"kedro": "kedro", "larix": "larix.cli"}[words[0]]
        return subprocess.run(
            [sys.executable, "-m", module, *words[1:]],
            cwd=self.folder,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **options,
        )

    def path(self, name: str) -> Path:
        """A place below the run's data folder."""
        return self.folder / "data" / "tiny" / name

    def newest(self, name: str) -> Path:
        """The newest version of an artefact that is kept by version."""
        return max(self.path(name).glob(f"*Z/{Path(name).name}"))

    def snapshot(self) -> dict[str, int]:
        """Time of change of every file in the data folder."""
        files = (file for file in self.path("").rglob("*") if file.is_file())
        return {str(file.relative_to(self.folder)): file.stat().st_mtime_ns for file in files}


def tiny_documents() -> list[dict[str, Any]]:
    """Texts of four topics; a document has its topic's label, and every other one a rarer label below it."""
    documents = []
    for topic, texts in TOPICS.items():
        for number in range(24):
            text = f"{texts[number % len(texts)]}, case {number}"
            labels = [topic] if number % 2 else [topic, f"{topic}-{number % 8}"]
            documents.append({"text": text, "labels": labels})
    return documents


def new_project(folder: Path) -> Project:
    """Lay a project out in an empty folder."""
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    shutil.copy(REPOSITORY / ".telemetry", folder)
    (folder / "src").mkdir()  # the package itself is the installed one
    lines = [json.dumps(document) for document in tiny_documents()]
    (folder / "tiny.jsonl").write_text("\n".join(lines), encoding="utf-8")
    os.utime(folder / "tiny.jsonl", ns=(10**18, 10**18))  # equal projects have equal provenance
    env = folder / "conf" / "tiny"
    env.mkdir()
    (env / "globals.yml").write_text("data: data/tiny\n")
    (env / "parameters_ingestion.yml").write_text(
        "ingestion: {format: jsonl, name: tiny, files: {train: tiny.jsonl}, split: {test_fraction: 0.25}}\n"
    )
    (env / "parameters_label_indexing.yml").write_text(
        "label_indexing:\n  clustering: {branching: 2, max_leaf_size: 4}\n"
    )
    return Project(folder)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without a run."""
    return new_project(tmp_path)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after a whole run. Tests do not change it; `run_project` is a copy."""
    project = new_project(tmp_path_factory.mktemp("project"))
    project.run()
    return project


@pytest.fixture
def run_project(finished_project: Project, tmp_path: Path) -> Project:
    """A copy of a project after a whole run, to change at will."""
    folder = tmp_path / "copy"
    shutil.copytree(finished_project.folder, folder)
    return Project(folder)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder; tests that ask for it are skipped without the extra `transformer`."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def larix_command() -> Callable[..., Any]:
    """Run `larix` in this process: exit code, standard output, standard error."""
    from click.testing import CliRunner

    from larix.cli import main

    def command(*words: str, stdin: str | None = None) -> Any:
        return CliRunner().invoke(main, list(words), input=stdin)

    return command
