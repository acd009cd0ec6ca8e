"""`import larix` is light, and the mathematics needs no platform."""

import subprocess
import sys

import pytest

PLATFORM = ("kedro", "torch", "transformers", "ray", "optuna")


def imported_by(statement: str, *names: str) -> list[str]:
    """Those of the modules that a fresh interpreter has imported after the statement."""
    code = f"import sys\n{statement}\nprint(*[name for name in {names} if name in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return finished.stdout.split()


def test_import_larix_alone_imports_nothing_big():
    big = (*PLATFORM, "pandas", "numpy", "scipy", "sklearn", "numba", "pyarrow", "rich", "matplotlib")
    assert imported_by("import larix", *big) == []


def test_the_command_starts_without_them_too():
    assert imported_by("import larix.cli", *PLATFORM, "pandas", "numpy", "numba", "pyarrow", "rich") == []


@pytest.mark.parametrize(
    "statement",
    [
        "from larix import XRLinear, LabelTree, TextFeatures, cluster_labels, represent_labels, evaluate",
        "from larix import Suggester, load",
        "from larix import EmbeddingIndex, JointFeatures, SentenceEncoder",
        "from larix.corpora import read_corpus",
        "import larix.reporting.page",
    ],
)
def test_estimators_readers_and_serving_need_no_platform(statement):
    assert imported_by(statement, *PLATFORM) == []


def test_all_public_names_are_there():
    import larix

    for name in larix.__all__:
        assert getattr(larix, name) is not None
