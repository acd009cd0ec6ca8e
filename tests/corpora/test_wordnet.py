from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from larix.corpora import Corpus, CorpusParams, check_file, read_corpus
from larix.corpora.wordnet import corpus_of_synsets, read_wordnet
from larix.corpora.wordnet_database import Synset, read_synsets

DATABASE = Path(__file__).parents[1] / "data" / "wordnet"
INSTALLED = Path("/usr/share/wordnet")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus(CorpusParams(format="wordnet", folder=str(DATABASE)))


def documents(corpus: Corpus) -> dict[str, tuple[str, set[str], set[str]]]:
    """Text, labels and senses (written label/synset) of every document."""
    found = {}
    for part in (corpus.train, corpus.test):
        for row, (name, text) in enumerate(zip(part.ids, part.texts, strict=True)):
            labels = {corpus.label_ids[label] for label in part.labels[[row]].indices}
            senses = {sense_name(corpus, sense) for sense in part.senses[[row]].indices}
            found[name] = (text, labels, senses)
    return found


def sense_name(corpus: Corpus, sense: int) -> str:
    row = corpus.sense_table.slice(sense, 1).to_pylist()[0]
    return f"{corpus.label_ids[row['label']]}/{row['id']}"


def test_a_gloss_has_the_lemmas_of_hypernyms_one_and_two_steps_up(corpus):
    text, labels, _ = documents(corpus)["n00000601"]
    assert text == "it takes what small savers put aside"
    assert labels == {"bank", "banking company", "organization", "organisation"}


def test_instances_count_as_hyponyms(corpus):
    assert "banking company" in documents(corpus)["n00000603"][1]


def test_a_label_is_told_by_the_word_that_it_is(corpus):
    assert corpus.label_descriptions == corpus.label_ids


def test_the_sense_of_a_label_is_the_synset_that_it_comes_from(corpus):
    found = documents(corpus)
    assert "bank/n00000400" in found["n00000601"][2]
    assert "bank/n00000500" in found["n00000701"][2]
    assert found["v00000032"][2] == {"tilt/v00000020", "bank/v00000020", "move/v00000010"}


def test_a_document_may_have_a_label_in_two_senses(corpus):
    _, labels, senses = documents(corpus)["n00000704"]
    assert {"bank/n00000400", "bank/n00000500"} <= senses
    assert "bank" in labels


def test_glosses_keep_their_examples_and_senses_are_named_by_definitions(corpus):
    assert documents(corpus)["v00000020"][0] == 'lean to one side in a turn; "the plane banked"'
    assert "it keeps money and lends it" in corpus.sense_table["name"].to_pylist()


def test_synsets_without_labels_are_no_documents(corpus):
    assert not {"n00000100", "v00000010"} & set(documents(corpus))


def test_four_fifths_are_for_training_in_an_order_drawn_by_seed_0():
    synsets = {"n00000000": Synset(("top",), (), "all")}
    synsets |= {f"n{number:08}": Synset((f"leaf{number}",), ("n00000000",), "") for number in range(1, 41)}
    made = corpus_of_synsets(synsets)
    order = np.random.default_rng(0).permutation(40) + 1
    assert made.train.ids == [f"n{number:08}" for number in order[:32]]
    assert made.test.ids == [f"n{number:08}" for number in order[32:]]


def test_labels_of_more_than_a_thousand_documents_are_dropped():
    def tree(n_leaves: int) -> dict[str, Synset]:
        top = {"n00000000": Synset(("top",), (), ""), "n00000001": Synset(("side",), (), "")}
        above = ("n00000000", "n00000001")
        leaves = {
            f"n{number:08}": Synset(("leaf",), above[: 1 + (number < 20)], "")
            for number in range(2, 2 + n_leaves)
        }
        return top | leaves

    assert corpus_of_synsets(tree(1000)).label_ids == ["side", "top"]
    assert corpus_of_synsets(tree(1001)).label_ids == ["side"]
    assert len(corpus_of_synsets(tree(1001)).train) + len(corpus_of_synsets(tree(1001)).test) == 18


def test_labels_need_two_training_documents(corpus):
    assert (np.bincount(corpus.train.labels.indices, minlength=corpus.n_labels) >= 2).all()
    with pytest.raises(ValueError, match="needs a hypernym of 2 training documents"):
        corpus_of_synsets(
            {"n00000001": Synset(("top",), (), ""), "n00000002": Synset((), ("n00000001",), "")}
        )


def test_the_corpus_is_saved_with_its_senses(corpus, tmp_path):
    corpus.save(tmp_path / "corpus")
    read = Corpus.load(tmp_path / "corpus")
    assert documents(read) == documents(corpus)
    assert read.sense_labels.tolist() == corpus.sense_labels.tolist()
    assert read.summary()["n_senses"] == len(corpus.sense_table)


def test_a_slice_keeps_the_senses_of_its_documents(corpus):
    part = corpus.limit(3)
    whole = documents(corpus)
    assert len(part.sense_labels) < len(corpus.sense_labels)
    assert all(whole[name] == found for name, found in documents(part).items())


def test_a_document_has_a_label_exactly_if_it_has_a_sense_of_it(corpus):
    senses = corpus.train.senses.copy()
    senses.indptr[-1] -= 1
    cut = (senses.data[:-1], senses.indices[:-1], senses.indptr)
    table = corpus.train.table.drop_columns("senses")
    part = replace(corpus.train, table=table, n_senses=None).with_senses(
        type(senses)(cut, shape=senses.shape)
    )
    with pytest.raises(ValueError, match=f"row {len(part) - 1} of train does not"):
        replace(corpus, train=part)
    with pytest.raises(ValueError, match=r"label of a table of senses must rise within 0\.\."):
        replace(corpus, sense_table=corpus.sense_table.take(list(range(len(corpus.sense_table)))[::-1]))
    with pytest.raises(ValueError, match="each sense needs a row in sense_table"):
        replace(corpus, sense_table=None)


def test_a_folder_can_be_checked():
    report = check_file(DATABASE, "wordnet")
    assert report.format == "wordnet"
    assert report.n_labels == report.n_labels_used


def test_files_are_named_so_that_a_change_is_seen(tmp_path):
    params = CorpusParams(format="wordnet", folder=str(DATABASE))
    assert params.source_files() == [DATABASE / "data.noun", DATABASE / "data.verb"]
    with pytest.raises(FileNotFoundError, match=r"no file .*data\.noun"):
        read_wordnet(tmp_path)


@pytest.mark.skipif(not (INSTALLED / "data.noun").is_file(), reason=f"WordNet's files are not in {INSTALLED}")
def test_wordnet_3_0_has_the_published_counts():
    synsets = read_synsets([INSTALLED / "data.noun", INSTALLED / "data.verb"])
    if len(synsets) != 95_882:
        pytest.skip(f"the counts are those of WordNet 3.0, but {INSTALLED} has {len(synsets)} synsets")
    corpus = corpus_of_synsets(synsets)
    summary = corpus.summary()
    assert (summary["n_train"], summary["n_test"], summary["n_labels"]) == (75_442, 18_804, 19_351)
    assert summary["labels_per_document"] == 3.94
    assert summary["n_senses"] == 31_085
    assert round(summary["n_labels_of_several_senses"] / summary["n_labels"], 2) == 0.26
