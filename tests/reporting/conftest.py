from dataclasses import replace
from typing import Any

import pytest

from larix.reporting import Example, LabelRow, RunReport, Suggested
from larix.xmc.label_quality import FrequencyBin

HOSTILE = """<script>alert("1")</script><img src=x onerror='steal()'>{{ 7 * 7 }}&amp;"""


@pytest.fixture
def report() -> RunReport:
    evaluation = {
        "metrics": {"P@1": 0.7, "P@3": 0.5, "nDCG@3": 0.61, "PSP@3": 0.4, "coverage@3": 0.3, "R@10": 0.8125},
        "by_frequency": {
            "head": {"P@1": 0.4, "P@3": 0.25, "nDCG@3": 0.7, "PSP@3": 0.65, "coverage@3": 0.9, "R@10": 0.9},
            "torso": {"P@1": 0.2, "P@3": 0.15, "nDCG@3": 0.5, "PSP@3": 0.45, "coverage@3": 0.6, "R@10": 0.7},
            "tail": {"P@1": 0.1, "P@3": 0.1, "nDCG@3": None, "PSP@3": 0.25, "coverage@3": 0.1, "R@10": 0.3},
        },
        "counts": {
            "documents": 1234,
            "documents_without_labels": 1,
            "documents_without_predictions": 2,
            "labels": 46881,
            "true_labels_unseen_in_training": 17,
            "true_occurrences": 5000,
            "true_occurrences_unseen_in_training": 21,
            "head_labels": 100,
            "torso_labels": 900,
            "tail_labels": 45881,
        },
    }
    right = Example(
        "chest pain", (Suggested("R07.4", "Chest pain", 0.91, True),), (("I20", "Angina pectoris"),)
    )
    wrong = Example(
        "sore knee", (Suggested("M54", "Back pain", 0.4, False), Suggested("M25", "Knee", 0.3, True))
    )
    return RunReport(
        title="ICD-10-CM",
        evaluation=evaluation,
        curves={"k": [1, 2, 3], "P": [0.7, 0.6, 0.5], "R": [0.3, 0.5, 0.6], "nDCG": [0.7, 0.65, 0.61]},
        frequency_bins=[FrequencyBin(0, 0, 5, 10, 0, 0), FrequencyBin(1, 1, 9, 20, 15, 10)],
        k=5,
        cluster_sizes=[91, 92, 92, 91],
        stage_seconds={"label_indexing": 5.25, "ranking": 14.5},
        corpus={"n_train": 57832, "n_features": None, "labels_per_document": 3.02},
        parameters={"random_state": 0, "ranking": {"solver": {"Cp": 1.0}, "bold": True}},
        versions={"larix": "0.1.0", "numpy": "2.4.6"},
        worst_labels=[LabelRow("I10", "Essential hypertension", 12, 8, 3, 2)],
        right=[right],
        wrong=[wrong],
        made="1 May 2026",
    )


@pytest.fixture
def explained() -> dict[str, Any]:
    """An example with the reasons for its first suggestion."""
    return explanation_of(
        "bitten by a dog", "W54.0", "Bitten by dog", ["wrist", "left"], "W54: Contact with dog"
    )


def explanation_of(text: str, label: str, name: str, features: list[str], document: str) -> dict[str, Any]:
    parts = [
        {"feature": f, "value": 1.0, "weight": w, "amount": w}
        for f, w in zip(features, (1, -0.1), strict=True)
    ]
    step = {
        "level": 0, "node": 3, "rank": 1, "kept": True, "n_labels": 1, "labels": [name], "margin": 0.75,
        "factor": 0.9, "score": 0.9, "bias": -0.4, "features": parts,
        "other_features": {"n": 7, "amount": 0.25},
    }  # fmt: skip
    path = {"slot": 3, "cluster": 0, "wins": True, "found": True, "score": 0.9, "steps": [step]}
    return {
        "text": text, "correct": True, "label": label, "name": name, "score": 0.88,
        "trees": [{"score": 0.9, "rank": 1, "paths": [path]}], "rule": None,
        "votes": {"share": 0.5, "weight": 0.1}, "nearest": [{"document": document, "cosine": 0.91}],
    }  # fmt: skip


@pytest.fixture
def hostile_report(report: RunReport) -> RunReport:
    """The report with markup in every place that a user's data can reach."""
    example = Example(HOSTILE, (Suggested(HOSTILE, HOSTILE, 0.5, True),), ((HOSTILE, HOSTILE),))
    return replace(
        report,
        title=HOSTILE,
        made=HOSTILE,
        corpus={HOSTILE: HOSTILE},
        parameters={HOSTILE: {HOSTILE: [HOSTILE]}},
        versions={HOSTILE: HOSTILE},
        stage_seconds={HOSTILE: 1.0, "$\\frac{": 2.0},
        worst_labels=[LabelRow(HOSTILE, HOSTILE, 1, 1, 1, 0)],
        right=[example],
        wrong=[example],
        explained=[explanation_of(HOSTILE, HOSTILE, HOSTILE, [HOSTILE, HOSTILE], HOSTILE)],
    )
