"""The application, through requests."""

import logging
import re
import time

import pytest

from larix.serving.http.current_model import CurrentModel
from tests.serving.http.conftest import TOKEN, error_of

KNOWN = {"Authorization": f"Bearer {TOKEN}"}


class TestSuggest:
    def test_one_text_and_several_are_answered_as_the_classifier_would(self, client, classifier):
        texts = ["a broken wrist", "bad cough"]
        answer = client.post("/suggest", json={"texts": texts, "top_k": 2}).json()
        expected = classifier.suggest(texts, top_k=2)
        found = [[(s["label"], s["name"], s["score"]) for s in r["suggestions"]] for r in answer["results"]]
        assert found == [[(s.label, s.name, round(s.score, 6)) for s in row] for row in expected]
        alone = client.post("/suggest", json={"texts": texts[1], "top_k": 2}).json()
        assert alone["results"] == answer["results"][1:]
        assert re.fullmatch("[0-9a-f]{12}", answer["model"])

    def test_labels_below_a_threshold_are_left_out(self, client):
        ask = {"texts": "a broken wrist", "top_k": 5}
        scores = [s["score"] for s in client.post("/suggest", json=ask).json()["results"][0]["suggestions"]]
        kept = client.post("/suggest", json={**ask, "threshold": scores[1] - 1e-4}).json()
        assert [s["score"] for s in kept["results"][0]["suggestions"]] == scores[:2]
        none = client.post("/suggest", json={**ask, "threshold": 2, "explain": True}).json()
        assert none["results"] == [{"suggestions": []}]

    def test_every_suggestion_is_explained_on_request(self, client, classifier):
        ask = {"texts": ["a broken wrist", "bad cough"], "top_k": 2, "explain": True}
        for result, text in zip(
            client.post("/suggest", json=ask).json()["results"], ask["texts"], strict=True
        ):
            told = classifier.explain(text, labels=[s["label"] for s in result["suggestions"]])
            for suggested, why in zip(result["suggestions"], told, strict=True):
                assert suggested["why"] == {key: why[key] for key in ("trees", "rule", "votes", "nearest")}
        assert "why" not in client.post("/suggest", json={"texts": "a"}).text

    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            ({}, "malformed", "texts: field required"),
            ({"texts": []}, "malformed", "texts: value should have at least 1 item; see"),
            ({"texts": [3]}, "malformed", "texts.0: input should be a valid string"),
            ({"texts": "a", "top_k": 0}, "malformed", "top_k: input should be greater than or equal to 1"),
            ({"texts": "a", "top_k": "5"}, "malformed", "top_k: input should be a valid integer"),
            ({"texts": "a", "topk": 5}, "malformed", "topk: extra inputs are not permitted"),
            ({"texts": "a", "top_k": 101}, "top_k_too_large", "top_k is at most 100, but found 101"),
            ({"texts": ["a"] * 101}, "too_many_texts", "a request has at most 100 texts, but found 101"),
            ({"texts": "ab" * 10_001}, "text_too_long", "at most 20,000 characters, but found 20,002"),
            (
                {"texts": ["a"] * 5, "explain": True},
                "too_many_explanations",
                "at most 20, but found 5 x 5",
            ),
        ],
    )
    def test_a_bad_request_is_told_what_is_wrong(self, client, body, code, message):
        found, told = error_of(client.post("/suggest", json=body), 422)
        assert (found, message in told) == (code, True), told

    def test_what_is_no_json_is_told_apart(self, client):
        json_header = {"content-type": "application/json"}
        assert (
            error_of(client.post("/suggest", content='{"texts"', headers=json_header), 400)[0] == "not_json"
        )
        assert error_of(client.post("/suggest", data={"texts": "a"}), 415)[0] == "not_said_to_be_json"
        infinite = client.post("/suggest", content=b'{"texts": "a", "threshold": NaN}', headers=json_header)
        assert error_of(infinite, 422)[0] == "malformed"

    def test_half_a_character_is_no_error(self, client):
        body = b'{"texts": "broken \\ud800 wrist", "explain": true}'
        response = client.post("/suggest", content=body, headers={"content-type": "application/json"})
        assert response.json()["results"][0]["suggestions"][0]["label"] == "bone"

    def test_a_large_body_is_refused_whether_it_says_so_or_not(self, start):
        client = start(limits={"max_bytes": 100})
        body = b'{"texts": "' + b"a" * 100 + b'"}'
        code, message = error_of(client.post("/suggest", content=body), 413)
        assert (code, "but this claims 113" in message) == ("body_too_large", True)
        in_pieces = client.post("/suggest", content=iter([body[:60], body[60:]]))
        assert "but this has more" in error_of(in_pieces, 413)[1]
        assert client.post("/suggest", json={"texts": "a"}).status_code == 200

    def test_paths_and_methods_that_do_not_exist(self, client):
        assert error_of(client.get("/nothing"), 404)[0] == "not_found"
        assert error_of(client.put("/suggest"), 405)[0] == "method_not_allowed"

    def test_who_waits_too_long_is_told_to_come_back(self, start, monkeypatch):
        client = start(limits={"max_seconds": 0.05})
        slow = lambda *_, **__: time.sleep(0.3) or [[]]  # noqa: E731
        monkeypatch.setattr("larix.serving.suggester.Suggester.suggest", slow)
        response = client.post("/suggest", json={"texts": "a"})
        assert error_of(response, 503)[0] == "out_of_time"
        assert response.headers["retry-after"] == "1"

    def test_an_unforeseen_error_quotes_no_text_in_answer_or_log(self, client, monkeypatch, caplog):
        def broken(_, texts, **__):
            raise RuntimeError(f"cannot read {texts}")

        monkeypatch.setattr("larix.serving.suggester.Suggester.suggest", broken)
        with caplog.at_level(logging.DEBUG):
            response = client.post("/suggest", json={"texts": "my secret"})
        assert error_of(response, 500)[0] == "internal_error"
        assert "RuntimeError at " in caplog.text
        assert "secret" not in caplog.text + response.text


class TestLabels:
    def test_words_of_identifiers_and_names_are_found(self, client):
        answer = client.get("/labels", params={"query": "NAME bone", "limit": 3}).json()
        assert answer["n_matches"] == 5
        assert answer["labels"][0] == {"label": "bone", "name": "Name of bone", "n_documents": 24}
        assert client.get("/labels", params={"query": "hair"}).json()["labels"] == []
        assert len(client.get("/labels").json()["labels"]) == 20

    def test_limits(self, client):
        assert "limit: input should be" in error_of(client.get("/labels?limit=0"), 422)[1]
        assert error_of(client.get("/labels?query=" + "a" * 201), 422)[0] == "malformed"


class TestToken:
    @pytest.mark.parametrize("path", ["/labels", "/metrics", "/nothing"])
    @pytest.mark.parametrize("header", [None, "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer é"])
    def test_only_who_knows_it_is_answered(self, guarded, path, header):
        response = guarded.get(path, headers={"Authorization": header.encode()} if header else {})
        assert error_of(response, 401)[0] == "no_valid_token"
        assert response.headers["www-authenticate"] == "Bearer"
        assert guarded.get(path, headers=KNOWN).status_code in (200, 404)

    def test_it_is_asked_for_before_the_body_is_read(self, start):
        client = start(token=TOKEN, limits={"max_bytes": 100})
        assert client.post("/suggest", content=b"x" * 1000).status_code == 401
        assert client.post("/suggest", content=b"x" * 1000, headers=KNOWN).status_code == 413

    def test_pages_and_probes_are_open(self, guarded):
        for path in ("/", "/docs", "/openapi.json", "/health", "/ready"):
            assert guarded.get(path).status_code == 200
        schemes = guarded.get("/openapi.json").json()["components"]["securitySchemes"]
        assert schemes["HTTPBearer"]["scheme"] == "bearer"


class TestReload:
    def test_a_newer_model_takes_the_place(self, start, folder, other_classifier):
        client = start(token=TOKEN)
        before = client.get("/ready").json()["model"]
        assert client.post("/reload", headers=KNOWN).json() == {"model": before, "changed": False}
        other_classifier.save(folder)
        answer = client.post("/reload", headers=KNOWN).json()
        assert (answer["changed"], answer["model"] != before) == (True, True)
        assert client.get("/ready").json()["model"] == answer["model"]
        (found,) = client.get("/labels?query=bone&limit=1", headers=KNOWN).json()["labels"]
        assert found["name"] == "Other name of bone"

    def test_a_damaged_model_leaves_the_old_one_at_work(self, start, folder, other_classifier):
        client = start(token=TOKEN)
        before = client.get("/ready").json()["model"]
        other_classifier.save(folder)
        (folder / "labels.json").write_bytes(b"{}")
        code, message = error_of(client.post("/reload", headers=KNOWN), 409)
        assert code == "reload_failed"
        assert "labels.json is damaged" in message
        assert "the model before goes on answering" in message
        answer = client.post("/suggest", json={"texts": "a broken wrist"}, headers=KNOWN).json()
        assert answer["model"] == before
        metrics = client.get("/metrics", headers=KNOWN).text
        assert 'larix_model_reloads_total{result="failed"} 1.0' in metrics

    def test_it_needs_a_service_with_a_token(self, client):
        assert error_of(client.post("/reload"), 403)[0] == "no_token_set"

    def test_a_changed_folder_is_noticed(self, start, other_classifier, folder):
        client = start(watch_seconds=0.05)
        before = client.get("/ready").json()["model"]
        other_classifier.save(folder)
        end = time.monotonic() + 20
        while client.get("/ready").json()["model"] == before:
            assert time.monotonic() < end
            time.sleep(0.05)


class TestProbes:
    def test_alive_and_ready(self, client):
        assert client.get("/health").json() == {"status": "alive"}
        assert client.get("/ready").json()["status"] == "ready"

    def test_not_ready_while_texts_cannot_wait(self, client, monkeypatch):
        monkeypatch.setattr("larix.serving.http.batching.Batcher.is_full", True)
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200

    def test_metrics_count_requests_texts_and_refusals(self, start):
        client = start()
        client.post("/suggest", json={"texts": ["a", "b", "c"]})
        client.post("/suggest", json={})
        client.get("/nothing")
        text = client.get("/metrics").text
        for line in (
            'larix_requests_total{path="/suggest",status="200"} 1.0',
            'larix_requests_total{path="/suggest",status="422"} 1.0',
            'larix_requests_total{path="other",status="404"} 1.0',
            "larix_texts_total 3.0",
            "larix_batch_texts_sum 3.0",
            "larix_model_seconds_count 1.0",
            'larix_model_reloads_total{result="done"} 1.0',
            "larix_waiting_texts 0.0",
        ):
            assert line in text.splitlines(), line


class TestPages:
    @pytest.mark.parametrize("path", ["/", "/docs"])
    def test_they_ask_nothing_of_other_servers(self, client, path):
        response = client.get(path)
        assert response.headers["content-type"].startswith("text/html")
        assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", response.text)
        assert "default-src 'none'" in response.headers["content-security-policy"]

    def test_the_api_page_names_every_path_and_field(self, client):
        page = client.get("/docs").text
        description = client.get("/openapi.json").json()
        assert {"/suggest", "/labels", "/reload", "/health", "/ready", "/metrics"} == set(
            description["paths"]
        )
        for path in description["paths"]:
            assert f"<code>{path}</code>" in page
        for field in ("texts", "top_k", "threshold", "explain", "results[].suggestions[].score", "n_matches"):
            assert f"<code>{field}</code>" in page
        assert "curl http://testserver/suggest" in page

    def test_limits_stand_on_both(self, start):
        client = start(limits={"max_characters": 777, "max_top_k": 7})
        assert 'maxlength="777"' in client.get("/").text
        assert 'max="7"' in client.get("/").text
        assert "777 characters" in client.get("/docs").text


def test_a_service_without_a_whole_model_does_not_start(start, folder):
    (folder / "labels.json").unlink()
    with pytest.raises(ValueError, match=r"labels\.json is missing"):
        start()


def test_nothing_is_served_before_the_model_is_loaded(folder):
    assert CurrentModel(lambda: folder).served is None
