import subprocess
import sys
from pathlib import Path

import pytest

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus
from larix.corpora.icd10cm import corpus_of_codes, tabular_codes, tabular_list

RELEASE_OF_THE_COUNTS = "icd10c-tabular-April-1-2026.xml"

TABULAR = """<?xml version="1.0"?>
<ICD10CM.tabular><chapter><name>1</name><desc>Infections</desc>
<includes><note>a note of the chapter, which is no code</note></includes>
<section id="A00-A09"><desc>Intestinal</desc>
  <diag><name>A00</name><desc> Cholera </desc>
    <includes><note>Asiatic plague</note></includes>
    <excludes1>
      <note>yellow fever (A95.-)</note><note>CHOLERA (A01)</note><note>loose stool (A01.-)</note>
    </excludes1>
    <excludes2>
      <note>Loose Stool (A00.1)</note><note>see there (A00, A01)</note><note>no code</note>
    </excludes2>
    <diag><name>A00.1</name><desc>Cholera eltor</desc>
      <inclusionTerm><note>{train}</note><note>{test}</note></inclusionTerm>
    </diag>
  </diag>
  <diag><name>A01</name><desc>Typhoid</desc></diag>
</section></chapter></ICD10CM.tabular>
"""


def corpus(tmp_path: Path, train: str = "term 0", test: str = "term 1"):
    path = tmp_path / "tabular.xml"
    path.write_text(TABULAR.format(train=train, test=test))
    return corpus_of_codes(tabular_codes(path))


def documents(part, label_ids):
    labels = part.labels.toarray()
    return {
        text: {label_ids[column] for column in row.nonzero()[0]}
        for text, row in zip(part.texts, labels, strict=True)
    }


def test_phrases_get_their_code_and_the_codes_above_it(tmp_path):
    # md5("term 0") leaves 74 and md5("term 8") leaves 12 when divided by 100.
    made = corpus(tmp_path, train="term 0", test="term 8")
    assert made.label_ids == ["A00", "A00.1", "A01"]
    assert made.label_names == ["Cholera", "Cholera eltor", "Typhoid"]
    assert documents(made.train, made.label_ids) == {
        "Cholera": {"A00"},
        "Asiatic plague": {"A00"},
        "Cholera eltor": {"A00", "A00.1"},
        "term 0": {"A00", "A00.1"},
        "Typhoid": {"A01"},
    }


def test_test_phrases_are_merged_and_never_training_phrases(tmp_path):
    made = corpus(tmp_path, train="term 0", test="term 8")
    assert documents(made.test, made.label_ids) == {
        "term 8": {"A00", "A00.1"},
        "loose stool": {"A00", "A00.1", "A01"},
    }


@pytest.mark.skipif(
    tabular_list().name != RELEASE_OF_THE_COUNTS, reason=f"the counts are those of {RELEASE_OF_THE_COUNTS}"
)
def test_the_april_2026_release_has_the_published_counts():
    corpus = read_corpus(CorpusParams())
    assert corpus.name == "ICD-10-CM"
    summary = corpus.summary()
    assert summary["n_train"] == 57_832
    assert summary["n_test"] == 5_354
    assert summary["n_labels"] == 46_881
    assert summary["labels_per_document"] == 3.02
    assert summary["labels_per_test_document"] == 2.32
    assert summary["n_labels_unseen_in_training"] == 0
    assert summary["n_test_repeating_train"] == 0


def test_the_package_is_read_as_data_and_not_imported():
    code = (
        "import sys; from larix.corpora.icd10cm import tabular_list; tabular_list().read_bytes(); "
        "print([m for m in ('simple_icd_10_cm', 'pandas', 'kedro') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        ("<a><b></a>", 1, 9, "mismatched tag"),
        ("<a/>", 1, 1, "<diag> entries"),
        ("<a><section><diag><desc>x</desc></diag></section></a>", "diag", "section", "<name> and <desc>"),
    ],
)
def test_a_file_that_is_no_tabular_list_is_refused(content, line, column, said, tmp_path):
    path = tmp_path / "tabular.xml"
    path.write_text(content)
    with pytest.raises(CorpusFormatError, match=said) as caught:
        tabular_codes(path)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match="pip install simple-icd-10-cm"):
        tabular_list()
