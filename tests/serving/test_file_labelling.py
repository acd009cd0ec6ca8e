"""Files of texts, labelled batch by batch."""

from contextlib import contextmanager

from larix.corpora.texts import TextFile
from larix.serving import file_labelling
from larix.serving.classifier import Suggestion
from larix.serving.file_labelling import LabelledTexts
from larix.xmc.progress import reporting


class Echo:
    """Suggests the text itself, and remembers how many texts came at once."""

    def __init__(self):
        self.sizes = []

    def suggest(self, texts, *, top_k, threshold):
        self.sizes.append(len(texts))
        return [[Suggestion(text, text.upper(), 0.1234567)][:top_k] for text in texts if threshold is None]


def test_texts_come_in_batches_of_limited_number_and_length(tmp_path, monkeypatch):
    monkeypatch.setattr(file_labelling, "_MOST_TEXTS", 3)
    monkeypatch.setattr(file_labelling, "_MOST_CHARACTERS", 20)
    (tmp_path / "t.txt").write_text("\n".join(["a"] * 4 + ["b" * 30] + ["c"] * 2))
    echo = Echo()
    batches = list(LabelledTexts(echo, TextFile(tmp_path / "t.txt")))
    assert echo.sizes == [len(batch) for batch in batches] == [3, 2, 2]
    assert batches[0][0] == {"id": "1", "suggestions": [{"label": "a", "name": "A", "score": 0.123457}]}
    assert [labelled["id"] for batch in batches for labelled in batch] == list("1234567")


def test_nothing_is_read_ahead_of_the_batch_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(file_labelling, "_MOST_TEXTS", 2)
    (tmp_path / "t.txt").write_text("a\nb\nc\nd\n")
    echo = Echo()
    batches = iter(LabelledTexts(echo, TextFile(tmp_path / "t.txt")))
    assert echo.sizes == []
    next(batches)
    assert echo.sizes == [2]


def test_progress_reaches_the_number_of_rows(tmp_path):
    (tmp_path / "t.csv").write_text('text\n"a\nb"\nc')
    told = {}

    @contextmanager
    def reporter(description, total):
        told.update(description=description, total=total, done=0)
        yield lambda steps=1: told.update(done=told["done"] + steps)

    with reporting(reporter):
        list(LabelledTexts(Echo(), TextFile(tmp_path / "t.csv")))
    assert told == {"description": "t.csv", "total": 4, "done": 4}
