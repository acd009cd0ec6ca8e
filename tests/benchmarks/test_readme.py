"""The table of the README is replaced, and nothing else."""

from benchmarks import readme
from benchmarks.results import Results


def model(competitor, corpus):
    return {
        "kind": "model",
        "session": "a",
        "corpus": corpus,
        "competitor": competitor,
        "round": 1,
        "figures": {"P@1": 0.67, "P@3": 0.5, "P@5": 0.4, "R@10": 0.7, "train_cpu_s": 2.0},
        "version": "1.2",
        "description": {},
    }


MEASURED = Results([model("libpecos", "icd"), model("larix", "icd"), model("larix, 16 bits", "icd")])


def test_table_is_replaced_between_the_comments(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n\n{readme.BEGIN}\nold\n{readme.END}\n\nafter\n", encoding="utf-8")
    readme.write(MEASURED, path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n\n")
    assert text.endswith(f"\n\n{readme.END}\n\nafter\n")
    assert "old" not in text
    assert "| ICD-10-CM | larix 1.2 | 67.00 | 50.00 | 40.00 | 70.00 | 2.00 |  |  |" in text
    assert "16 bits" not in text


def test_readme_stays_when_its_corpora_were_not_measured(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"{readme.BEGIN}\nold\n{readme.END}", encoding="utf-8")
    readme.write(Results([model("larix", "syn-s")]), path)
    assert "old" in path.read_text(encoding="utf-8")


def test_readme_without_a_place_stays(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("words", encoding="utf-8")
    readme.write(MEASURED, path)
    assert path.read_text(encoding="utf-8") == "words"
