"""From the embedded corpus to a classifier that suggests codes."""

import json
from pathlib import Path

import larix
from tests.conftest import Project


def test_a_slice_of_the_embedded_corpus_becomes_a_classifier(project: Project, larix_command, monkeypatch):
    project.run(env="icd_slice", params={"ingestion": {"max_documents": 1200}})
    monkeypatch.chdir(project.folder)

    document = json.loads(larix_command("metrics", "--json").output)
    assert document["corpus"]["n_train"] + document["corpus"]["n_test"] == 1200
    assert document["corpus"]["n_labels"] > 2000
    assert document["metrics"]["P@1"] > 0.1

    (suggested,) = json.loads(larix_command("suggest", "--json", "fracture of the wrist").output)
    assert {"label", "name", "score"} == set(suggested["suggestions"][0])

    classifier = larix.load(Path(document["classifier"]))
    training_text = classifier.label_names[int(classifier.frequencies.counts.argmax())]
    assert classifier.suggest([training_text])[0][0].score > 0

    report = next(
        (project.folder / "data/icd_slice/08_reporting/report.html").glob("*/report.html")
    ).read_text()
    assert "ICD-10-CM (slice)" in report
    assert "http://" not in report.replace("http://www.w3.org", "")


def test_given_features_become_a_classifier_too(project: Project, larix_command, monkeypatch):
    rows = [f"{n % 2} {n % 2}:1.0 {2 + n % 3}:0.5" for n in range(40)]
    (project.folder / "rows.txt").write_text("40 5 2\n" + "\n".join(rows) + "\n")
    env = project.folder / "conf" / "rows"
    env.mkdir()
    (env / "globals.yml").write_text("data: data/rows\n")
    (env / "parameters_ingestion.yml").write_text(
        "ingestion: {format: xc, name: rows, files: {train: rows.txt}}\n"
    )
    project.run(env="rows")
    monkeypatch.chdir(project.folder)
    document = json.loads(larix_command("metrics", "--json").output)
    assert document["metrics"]["P@1"] == 1
    result = larix_command("evaluate", "--format=xc", "rows.txt")
    assert result.exit_code == 0, result.stderr
    refused = larix_command("suggest", "a text")
    assert refused.exit_code == 2
    assert "given features, not on texts" in refused.stderr
