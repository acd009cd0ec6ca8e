"""The service as processes: it starts, exchanges its model under load, and ends without losing a request."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving.http.conftest import TOKEN

pytestmark = pytest.mark.slow


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Running:
    """A service and how to ask it."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log

    def ask(self, path, content=None):
        """Status and answer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_until(self, what, seconds=120):
        """Return when `what()` is true; errors of connection count as false."""
        end = time.monotonic() + seconds
        while True:
            try:
                if what():
                    return
            except (OSError, urllib.error.URLError):
                pass
            assert time.monotonic() < end, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)


@contextmanager
def service(folder, log, *options, token=TOKEN):
    """`larix serve` with a model, ready to answer."""
    port = free_port()
    command = [Path(sys.executable).with_name("larix"), "serve", str(folder), f"--port={port}", *options]
    environment = {**os.environ, "LARIX_TOKEN": token}
    with (
        log.open("w") as stream,
        subprocess.Popen(command, stdout=stream, stderr=stream, env=environment) as process,
    ):
        running = Running(process, port, log)
        try:
            running.wait_until(lambda: running.ask("/ready")[0] == 200)
            yield running
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def asking(running, n_clients=8):
    """Clients that ask without a pause; what they were answered is in the list."""
    answers, enough = [], threading.Event()

    def client():
        while not enough.is_set():
            try:
                status, text = running.ask("/suggest", {"texts": "a broken wrist", "top_k": 1})
            except OSError as error:
                answers.append((repr(error), None))
            else:
                answers.append((status, json.loads(text).get("model")))

    threads = [threading.Thread(target=client) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        enough.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["signal", "request", "folder"])
def test_the_model_is_exchanged_without_a_lost_request(folder, other_classifier, tmp_path, workers, how):
    watch = "0.2" if how == "folder" else "0"
    with service(folder, tmp_path / "log", f"--workers={workers}", f"--watch={watch}") as running:
        before = json.loads(running.ask("/ready")[1])["model"]
        running.wait_until(lambda: running.log.read_text().count(f"model {before}") == workers)
        with asking(running) as answers:
            running.wait_until(lambda: len(answers) > 20)
            other_classifier.save(folder)
            if how == "signal":
                running.process.send_signal(signal.SIGHUP)
            elif how == "request":
                assert json.loads(running.ask("/reload", {})[1])["changed"]
            running.wait_until(lambda: running.log.read_text().count("INFO model") == 2 * workers)
            asked = len(answers)
            running.wait_until(lambda: len(answers) > asked + 40)
        assert {status for status, _ in answers} == {200}
        versions = {version for _, version in answers}
        assert len(versions) == 2
        assert before in versions
        assert before not in {version for _, version in answers[asked + 20 :]}
    assert running.process.returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_arrived_is_answered_before_the_end(folder, tmp_path, workers):
    with service(folder, tmp_path / "log", f"--workers={workers}") as running:
        body = json.dumps({"texts": ["a broken wrist"] * 100}).encode()
        head = f"POST /suggest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
            connection.sendall(head.encode() + body[:-1])
            time.sleep(0.5)  # the request is at work, but not whole
            running.process.terminate()
            time.sleep(0.5)
            connection.sendall(body[-1:])
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.count(b"suggestions") == 100
        assert running.process.wait(60) == 0


def test_workers_share_counts_and_are_replaced_when_they_die(folder, tmp_path):
    with service(folder, tmp_path / "log", "--workers=2") as running:
        for _ in range(20):
            assert running.ask("/suggest", {"texts": "my secret"})[0] == 200
        assert "larix_texts_total 20.0" in running.ask("/metrics")[1].splitlines()
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        if children.exists():
            victim = max(int(pid) for pid in children.read_text().split())
            os.kill(victim, signal.SIGKILL)
            running.wait_until(lambda: f"worker {victim} died" in running.log.read_text())
            running.wait_until(lambda: running.log.read_text().count("INFO model") >= 2)
            assert running.ask("/suggest", {"texts": "my secret"})[0] == 200
    assert "secret" not in running.log.read_text()
    assert TOKEN not in running.log.read_text()


@pytest.mark.parametrize(
    ("words", "variables", "message"),
    [
        (["nowhere"], {}, "nowhere is no folder"),
        (["--max-texts=0"], {}, "max_texts must be positive, but is 0"),
        ([], {"LARIX_TOKEN": "short"}, "a token must have at least 16 characters"),
        (["--token-file=nowhere"], {}, "make one: openssl rand -hex 32 > nowhere"),
    ],
)
def test_mistakes_are_told_in_one_line_before_anything_listens(folder, words, variables, message):
    model = [] if "nowhere" in words else [str(folder)]
    done = subprocess.run(
        [Path(sys.executable).with_name("larix"), "serve", *model, *words],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
