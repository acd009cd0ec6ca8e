from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.corpora import CorpusFormatError
from larix.corpora.wordnet_database import Synset, read_synsets
from tests.corpora.strategies import damaged, damages

DATABASE = Path(__file__).parents[1] / "data" / "wordnet"
ROOT = "00000001 03 n 01 top 0 000 | all"

words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6)
glosses = st.text(st.characters(categories=("L", "P", "Zs")), min_size=1, max_size=20).map(str.strip)
numbers = st.integers(0, 99_999_999)


def read(folder: Path, content: str | bytes) -> dict[str, Synset]:
    path = folder / "data.noun"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_synsets([path])


@st.composite
def databases(draw):
    """Draw synsets with hypernyms among each other."""
    names = draw(
        st.lists(
            st.builds("{}{:08}".format, st.sampled_from("nv"), numbers), min_size=1, max_size=6, unique=True
        )
    )
    above = st.lists(st.sampled_from(names), unique=True, max_size=3).map(tuple)
    synset = st.builds(Synset, st.lists(words, min_size=1, max_size=20).map(tuple), above, glosses)
    return {name: draw(synset) for name in names}


def line(name: str, synset: Synset) -> str:
    """A synset as the database writes it, with pointers and frames that are of no interest between."""
    lemmas = " ".join(f"{lemma} 0" for lemma in synset.lemmas)
    pointers = [f"@ {above[1:]} {above[0]} 0000 ~ 99999999 a 0102" for above in synset.hypernyms]
    frames = " 02 + 08 00 + 01 0a" if name[0] == "v" else ""
    head = f"{name[1:]} 03 {name[0]} {len(synset.lemmas):02x} {lemmas}"
    return f"{' '.join([head, f'{2 * len(pointers):03}', *pointers])}{frames} | {synset.gloss}  "


@given(databases())
def test_what_is_written_is_read(tmp_path_factory, database):
    lines = [line(name, synset) for name, synset in database.items()]
    assert read(tmp_path_factory.getbasetemp(), "\n".join(["  1 licence", *lines, ""])) == database


@given(damages)
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, changes):
    content = damaged((DATABASE / "data.noun").read_bytes(), changes)
    with suppress(CorpusFormatError):
        synsets = read(tmp_path_factory.getbasetemp(), content)
        assert all(above in synsets for synset in synsets.values() for above in synset.hypernyms)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("0000002 03 n 00 000 | x", (2, 1), "an offset has eight digits, but found '0000002'"),
        ("00000002 03 n 00 000", (2, 21), "a gloss follows ' | ', but found the end of the line"),
        ("00000002 03 a 00 000 | x", (2, 13), "a part of speech is n or v, but found 'a'"),
        ("00000002 03 n 0g 000 | x", (2, 15), "the number of words is a number to the base 16"),
        ("00000002 03 n 02 a 0 000 | x", (2, 25), "the lex_id of a word follows, but found the end"),
        ("00000002 03 n 01 a 0 -01 @ | x", (2, 22), "the number of pointers is a number to the base 10"),
        ("00000002 03 n 00 001 ! 1 | x", (2, 25), "a pointer follows, but found the end of the data"),
        ("00000002 03 n 00 001 @ 1 n 0000 | x", (2, 24), "an offset has eight digits"),
        ("00000002 03 n 00 001 @ 00000001 r 0000 | x", (2, 33), "of a hypernym is n or v, but found 'r'"),
        (
            "00000002 03 n 00 000 01 | x",
            (2, 22),
            "the gloss follows the last pointer or frame, but found '01'",
        ),
        ("00000002 03 v 00 000 01 * 01 00 | x", (2, 25), "the mark of a frame is +, but found '*'"),
        ("00000001 03 n 00 000 | x", (2, 1), "one synset of a part of speech, but found n00000001, which"),
        ("00000002 03 n 00 001 @ 00000003 n 0000 | x", (2, 24), "leads to a synset of these files"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_place(text, place, said, tmp_path):
    with pytest.raises(CorpusFormatError) as caught:
        read(tmp_path, f"{ROOT}\n{text}\n")
    assert (caught.value.line, caught.value.column) == place
    assert said in str(caught.value)


def test_a_definition_ends_before_the_first_example():
    assert Synset((), (), 'to lean; said of ships; "she lists"; "it listed"').definition == (
        "to lean; said of ships"
    )
    assert Synset((), (), "to lean").definition == "to lean"
