"""Records of measurements as JSON lines, and what is made of them: medians, and ratios within rounds."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "data" / "08_reporting" / "benchmarks" / "results.jsonl"

Record = dict[str, Any]


def append(record: Record, path: Path = RESULTS) -> None:
    """Add a record to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(path: Path = RESULTS) -> "Results":
    """All records of the file.

    Raises
    ------
    FileNotFoundError
        If nothing was measured yet.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"results are rendered from {path.name}, but there is none; run `make bench` first"
        )
    return Results([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line])


@dataclass(frozen=True)
class Ratio:
    """larix' figure over a rival's: the median of the rounds, the least and the most."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Results:
    """Records of one or more sessions. Of a corpus the last session that measured it counts."""

    records: Sequence[Record]

    def sessions(self) -> list[Record]:
        """Sessions that anything on the page comes from, in order of time."""
        used = {record["session"] for corpus in self.corpora() for record in self._of(corpus)}
        used |= {record["session"] for records in self._texts().values() for record in records.values()}
        return [record for record in self.of_kind("session") if record["session"] in used]

    def of_kind(self, kind: str) -> list[Record]:
        """Records of a kind: session, model, text, cold or absent."""
        return [record for record in self.records if record["kind"] == kind]

    def corpora(self) -> list[str]:
        """Corpora that were measured, in order of first appearance."""
        return list(dict.fromkeys(record["corpus"] for record in self.of_kind("model")))

    def competitors(self, corpus: str) -> list[str]:
        """Who was measured on a corpus, larix first."""
        names = dict.fromkeys(record["competitor"] for record in self._of(corpus))
        return sorted(names, key=lambda name: not name.startswith("larix"))

    def description(self, corpus: str) -> Record:
        """Sizes of a corpus."""
        return self._of(corpus)[-1]["description"]

    def median(self, corpus: str, competitor: str, figure: str) -> float | None:
        """Median of a figure over the rounds; None if it wasn't measured."""
        return median_of(r["figures"].get(figure) for r in self._of(corpus) if r["competitor"] == competitor)

    def n_rounds(self, corpus: str) -> int:
        """Rounds on a corpus."""
        return len({record["round"] for record in self._of(corpus)})

    def ratio(
        self, corpus: str, rival: str, figure: str, rival_figure: str | None = None, ours: str = "larix"
    ) -> Ratio | None:
        """larix over a rival, each round by itself."""
        own = self._by_round(corpus, ours, figure)
        theirs = self._by_round(corpus, rival, rival_figure or figure)
        return ratio_of([(own[n], theirs[n]) for n in own if n in theirs])

    def texts(self) -> dict[tuple[str, str], dict[str, Record]]:
        """The last figures of every vectorizer, by corpus and setting."""
        return {
            key: {name: record["figures"] for name, record in records.items()}
            for key, records in self._texts().items()
        }

    def colds(self) -> dict[str, Record]:
        """The last cold start of everybody, on the corpus where most were measured."""
        by_corpus: dict[str, dict[str, Record]] = {}
        for record in self.of_kind("cold"):
            by_corpus.setdefault(record["corpus"], {})[record["competitor"]] = record
        return max(by_corpus.values(), key=len, default={})

    def absent(self) -> dict[str, str]:
        """Who or what could not take part in the last session, and why."""
        if not self.records:
            return {}
        last = self.records[-1]["session"]
        return {r["name"]: r["reason"] for r in self.of_kind("absent") if r["session"] == last}

    def versions(self) -> dict[str, str]:
        """Version of every library."""
        return {r["competitor"].split(",")[0]: r["version"] for r in self.records if "version" in r}

    def _of(self, corpus: str) -> list[Record]:
        """Models measured on a corpus in the last session that did."""
        own = [record for record in self.of_kind("model") if record["corpus"] == corpus]
        return [record for record in own if record["session"] == own[-1]["session"]]

    def _texts(self) -> dict[tuple[str, str], dict[str, Record]]:
        found: dict[tuple[str, str], dict[str, Record]] = {}
        for record in self.of_kind("text"):
            found.setdefault((record["corpus"], record["setting"]), {})[record["competitor"]] = record
        return found

    def _by_round(self, corpus: str, competitor: str, figure: str) -> dict[int, float]:
        return {
            record["round"]: record["figures"][figure]
            for record in self._of(corpus)
            if record["competitor"] == competitor and figure in record["figures"]
        }


def median_of(values: Iterable[float | None]) -> float | None:
    """Median of the values that are there."""
    there = [value for value in values if value is not None and not math.isnan(value)]
    return median(there) if there else None


def ratio_of(pairs: Sequence[tuple[float, float]]) -> Ratio | None:
    """Ratio of pairs (ours, theirs); None without a pair whose second is positive."""
    ratios = [ours / theirs for ours, theirs in pairs if theirs > 0]
    return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None
