"""The embedded corpus: phrases of the ICD-10-CM tabular list, labelled with their diagnosis codes.

The official list (United States, public domain) comes as one XML file with the package `simple-icd-10-cm`.
It is read as data: the package is neither imported nor asked to fetch anything.

A document is a phrase; its labels are the code it stands under and all codes above that one, from the
three-character category down. Training documents are the descriptions of codes, their `includes` notes, and
four fifths of their inclusion terms, chosen by a hash of the phrase. Test documents are the other inclusion
terms and those exclusion notes that end in one existing code in parentheses, which is then the code they
stand for. A test phrase that is also a training phrase is left out, and equal test phrases are merged, both
ignoring case.

Seventh characters, which the list defines by rules and not as entries, are no labels.
"""

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable

from larix.corpora.assembly import assemble
from larix.corpora.corpus import Corpus
from larix.corpora.documents import Documents, LabelVocabulary, TextDocumentsBuilder
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.icd10cm_release import tabular_list
from larix.corpora.oddities import Oddities

_PHRASE_AND_CODE = re.compile(r"(.*?)\s*\(([A-Z]\d[\w.]*)-?\)")
_NOTES = ("includes", "inclusionTerm", "excludes1", "excludes2")
_TEST_PERCENT = 20


@dataclass(frozen=True)
class Code:
    """One entry of the tabular list.

    Attributes
    ----------
    lineage : tuple of str
        The codes from the three-character category down to this one.
    description : str
        Its official name.
    notes : dict of str to list of str
        Phrases by kind of note: `includes`, `inclusionTerm`, `excludes1`, `excludes2`.
    """

    lineage: tuple[str, ...]
    description: str
    notes: dict[str, list[str]] = field(default_factory=dict)


def read_icd10cm() -> Corpus:
    """Read the ICD-10-CM corpus from the installed package.

    Raises
    ------
    ModuleNotFoundError
        If the package is missing; the message has the command that installs it.
    CorpusFormatError
        If its file is no tabular list.
    """
    return corpus_of_codes(tabular_codes(tabular_list()))


def tabular_codes(source: Traversable) -> dict[str, Code]:
    """Read the codes of a tabular list, in its order."""
    path = str(source)
    try:
        root = ET.fromstring(source.read_bytes())
    except ET.ParseError as error:
        line, column = error.position
        raise CorpusFormatError(
            path,
            line,
            column + 1,
            rule="a tabular list is XML",
            found=str(error),
            remedy="install the package again",
        ) from None
    codes = {
        code.lineage[-1]: code for section in root.iter("section") for code in _codes_below(section, (), path)
    }
    if not codes:
        raise CorpusFormatError(
            path,
            1,
            1,
            rule="a tabular list has <diag> entries in <section>",
            found=f"<{root.tag}> without any",
            remedy="give the tabular list of an ICD-10-CM release",
        )
    return codes


def _codes_below(element: ET.Element, lineage: tuple[str, ...], path: str) -> Iterator[Code]:
    """Yield the codes of all `<diag>` below an element, each before those below it."""
    for entry in element:
        if entry.tag == "diag":
            code = _code(entry, lineage, path)
            yield code
            yield from _codes_below(entry, code.lineage, path)


def _code(entry: ET.Element, lineage: tuple[str, ...], path: str) -> Code:
    fields = {"name": "", "desc": ""}
    notes: dict[str, list[str]] = {}
    for child in entry:
        if child.tag in fields:
            fields[child.tag] = (child.text or "").strip()
        elif child.tag in _NOTES:
            phrases = ((note.text or "").strip() for note in child if note.tag == "note")
            notes.setdefault(child.tag, []).extend(phrase for phrase in phrases if phrase)
    if not all(fields.values()):
        raise CorpusFormatError(
            path,
            "diag",
            lineage[-1] if lineage else "section",
            rule="an entry has <name> and <desc>",
            found=ET.tostring(entry, encoding="unicode"),
            remedy="install the package again",
        )
    return Code((*lineage, fields["name"]), fields["desc"], notes)


def corpus_of_codes(codes: dict[str, Code]) -> Corpus:
    """Make training and test documents out of the phrases of a tabular list."""
    vocabulary = LabelVocabulary(codes)
    train = _training_documents(codes, vocabulary)
    test = _test_documents(codes, vocabulary, known={text.lower() for text in train.texts or ()})
    return assemble(
        "ICD-10-CM", train, test, vocabulary, names={name: code.description for name, code in codes.items()}
    )


def _training_documents(codes: dict[str, Code], vocabulary: LabelVocabulary) -> Documents:
    documents = TextDocumentsBuilder(vocabulary, Oddities())
    for name, code in codes.items():
        documents.add(name, code.description, code.lineage)
        for number, phrase in enumerate(code.notes.get("includes", ()), 1):
            documents.add(f"{name} includes {number}", phrase, code.lineage)
        for number, phrase in enumerate(code.notes.get("inclusionTerm", ()), 1):
            if not _is_test_phrase(phrase):
                documents.add(f"{name} inclusion term {number}", phrase, code.lineage)
    return documents.finish()


def _test_documents(codes: dict[str, Code], vocabulary: LabelVocabulary, known: set[str]) -> Documents:
    merged: dict[str, tuple[str, str, dict[str, None]]] = {}
    for identifier, phrase, lineage in _test_phrases(codes):
        if phrase.lower() not in known:
            labels = merged.setdefault(phrase.lower(), (identifier, phrase, {}))[2]
            labels.update(dict.fromkeys(lineage))
    documents = TextDocumentsBuilder(vocabulary, Oddities())
    for identifier, phrase, labels in merged.values():
        documents.add(identifier, phrase, list(labels))
    return documents.finish()


def _test_phrases(codes: dict[str, Code]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (identifier, phrase, labels) of every phrase that may become a test document."""
    for name, code in codes.items():
        for number, phrase in enumerate(code.notes.get("inclusionTerm", ()), 1):
            if _is_test_phrase(phrase):
                yield f"{name} inclusion term {number}", phrase, code.lineage
    for name, code in codes.items():
        for kind in ("excludes1", "excludes2"):
            for number, note in enumerate(code.notes.get(kind, ()), 1):
                match = _PHRASE_AND_CODE.fullmatch(note)
                target = codes.get(match[2].rstrip(".")) if match else None
                if match and target and match[1].strip():
                    yield f"{name} {kind} {number}", match[1].strip(), target.lineage


def _is_test_phrase(phrase: str) -> bool:
    return int(hashlib.md5(phrase.encode(), usedforsecurity=False).hexdigest(), 16) % 100 < _TEST_PERCENT
