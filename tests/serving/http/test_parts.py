"""Limits, tokens, addresses and the search for labels."""

import socket

import numpy as np
import pytest

from larix.serving.given_features import GivenFeatures
from larix.serving.http import server
from larix.serving.http.bearer_token import TOKEN_VARIABLE, read_token
from larix.serving.http.current_model import CurrentModel
from larix.serving.http.label_search import LabelSearch
from larix.serving.http.limits import Limits
from larix.serving.http.service import ServiceSettings
from larix.xmc.persistence import ModelFolderError
from tests.serving.http.conftest import TOKEN, make_classifier


def test_limits_are_positive_and_let_one_request_wait():
    with pytest.raises(ValueError, match="max_seconds must be positive, but is 0"):
        Limits(max_seconds=0)
    with pytest.raises(ValueError, match="max_waiting must be at least max_texts = 100, but is 50"):
        Limits(max_waiting=50)


def test_a_file_goes_before_the_environment(tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token", {TOKEN_VARIABLE: "another-token-of-length"}) == TOKEN
    assert read_token(None, {TOKEN_VARIABLE: TOKEN}) == TOKEN
    assert read_token(None, {}) is None


@pytest.mark.parametrize("token", ["", "short", "a token with blanks", "tökens-are-ascii-only"])
def test_a_weak_token_is_refused_without_being_quoted(token):
    with pytest.raises(ValueError, match="must have at least 16 characters") as caught:
        read_token(None, {TOKEN_VARIABLE: token})
    assert not token or token not in str(caught.value)


def test_a_missing_token_file_is_told_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(OSError, match=r"but: No such file.*; make one: openssl rand -hex 32 > '.*my token'"):
        read_token(tmp_path / "my token")


@pytest.mark.parametrize("host", ["127.0.0.1", "no such host"])
def test_an_address_that_cannot_be_had_is_told_with_a_remedy(host):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=rf"must have {host}:{port} for itself, but: .*; choose another"):
            server._listening(host, port)


def test_a_token_is_not_shown():
    assert TOKEN not in repr(ServiceSettings(token=TOKEN))


def test_labels_come_by_closeness_and_frequency():
    ids, names = ["W54", "W54.1", "W5", "X1"], ["Dog", "Struck by dog", "Straße", "dog W54"]
    search = LabelSearch(ids, names, np.array([1, 5, 2, 9]))
    assert search.find("w54") == [0, 1, 3]
    assert search.find("dog") == [3, 0, 1]
    assert search.find("  BY   struck ") == [1]
    assert search.find("STRASSE") == [2]
    assert search.find("") == [3, 1, 2, 0]


def test_a_classifier_of_feature_rows_is_refused(tmp_path):
    classifier = make_classifier()
    classifier.features = GivenFeatures(classifier.features.n_features_)
    classifier.save(tmp_path / "model")
    with pytest.raises(ModelFolderError, match="must hold a classifier of texts"):
        CurrentModel(lambda: tmp_path / "model").refresh()


def test_threads_are_those_asked_for(folder):
    model = CurrentModel(lambda: folder, n_threads=1)
    assert model.refresh()
    assert not model.refresh()
    assert not model.has_changed()
    parts = model.served.classifier
    assert (parts.model.n_threads, parts.features.n_threads, parts.refinement.memory.n_threads) == (1, 1, 1)
