"""Medians and ratios of records, and which sessions count."""

import pytest

from benchmarks import results
from benchmarks.results import Ratio, Results, ratio_of


def model(session, competitor, round_number, **figures):
    return {
        "kind": "model",
        "session": session,
        "corpus": "syn-s",
        "competitor": competitor,
        "round": round_number,
        "figures": figures,
        "version": "1",
        "description": {},
    }


TWO_ROUNDS = Results(
    [
        model("a", "larix", 1, train_cpu_s=2.0),
        model("a", "libpecos", 1, train_cpu_s=4.0),
        model("a", "libpecos", 2, train_cpu_s=10.0),
        model("a", "larix", 2, train_cpu_s=3.0),
    ]
)


def test_ratio_is_taken_within_rounds():
    found = TWO_ROUNDS.ratio("syn-s", "libpecos", "train_cpu_s")
    assert found.median == pytest.approx(0.4)
    assert (found.least, found.most) == pytest.approx((0.3, 0.5))


def test_round_without_the_rival_is_left_out_of_the_ratio():
    more = Results([*TWO_ROUNDS.records, model("a", "larix", 3, train_cpu_s=100.0)])
    assert more.ratio("syn-s", "libpecos", "train_cpu_s").most == pytest.approx(0.5)


def test_ratio_may_compare_two_figures():
    found = Results([model("a", "larix", 1, quick_s=1.0), model("a", "libpecos", 1, load_s=8.0)])
    assert found.ratio("syn-s", "libpecos", "quick_s", "load_s") == Ratio(0.125, 0.125, 0.125)


def test_there_is_no_ratio_without_a_positive_rival():
    assert ratio_of([]) is None
    assert ratio_of([(1.0, 0.0)]) is None


def test_last_session_of_a_corpus_counts():
    newer = Results([*TWO_ROUNDS.records, model("b", "larix", 1, train_cpu_s=7.0)])
    assert newer.median("syn-s", "larix", "train_cpu_s") == 7.0
    assert newer.competitors("syn-s") == ["larix"]
    assert TWO_ROUNDS.median("syn-s", "larix", "train_cpu_s") == 2.5


def test_records_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "results.jsonl"
    for record in TWO_ROUNDS.records:
        results.append(record, path)
    assert results.read(path) == TWO_ROUNDS


def test_reading_what_was_never_measured_tells_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="run `make bench` first"):
        results.read(tmp_path / "results.jsonl")
