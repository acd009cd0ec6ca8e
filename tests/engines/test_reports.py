import logging
from contextlib import contextmanager

import pytest

from larix.engines.reports import Advanced, Begun, Ended, Finished, Line, Mailbox, Receiver, Sender, Started
from larix.xmc.progress import reporting, track


class Bars:
    """Remembers what is shown."""

    def __init__(self):
        self.open, self.steps = [], 0

    @contextmanager
    def __call__(self, description, total):
        self.open.append((description, total))
        try:
            yield self.advance
        finally:
            self.open.remove((description, total))

    def advance(self, steps=1):
        self.steps += steps


def test_a_mailbox_gives_every_event_once():
    mailbox = Mailbox()
    mailbox.post(Started())
    mailbox.post(Ended(0))
    assert mailbox.empty() == [Started(), Ended(0)]
    assert mailbox.empty() == []


def test_lines_of_a_worker_are_logged_as_they_were(caplog):
    posted = []
    log = logging.getLogger("larix.somewhere")
    sender = Sender(posted.append)
    log.addHandler(sender)
    try:
        with caplog.at_level(logging.INFO, logger="larix"):
            log.info("step %d", 3)
            log.debug("a detail")
    finally:
        log.removeHandler(sender)
    assert posted == [Line("larix.somewhere", logging.INFO, "step 3")]
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="larix"):
        Receiver(None).receive(posted)
    assert caplog.record_tuples == [("larix.somewhere", logging.INFO, "step 3")]


@pytest.mark.parametrize("pause", [0, 1000])
def test_bars_of_a_worker_move_here(monkeypatch, pause):
    posted, bars = [], Bars()
    monkeypatch.setattr("larix.engines.reports._SECONDS_BETWEEN_ADVANCES", pause - 1)
    with reporting(Sender(posted.append).bar):
        for _ in track(range(5), "training", 5):
            pass
    assert posted[0] == Begun(0, "training", 5)
    assert posted[-1] == Ended(0)
    assert len(posted) == (7 if not pause else 2)
    receiver = Receiver(bars)
    receiver.receive(posted[:-1])
    assert bars.open == [("training", 5)]
    assert bars.steps == (5 if not pause else 0)
    receiver.receive(posted[-1:])
    assert bars.open == []


def test_workers_that_start_again_leave_no_old_bars(caplog):
    bars = Bars()
    receiver = Receiver(bars)
    receiver.receive([Started(), Begun(0, "training", 5), Advanced(0, 2)])
    assert not caplog.records
    receiver.receive([Started()])
    assert bars.open == []
    assert "all workers have started again" in caplog.text
    receiver.receive([Begun(0, "training", 5), Finished()])
    assert bars.open == []
