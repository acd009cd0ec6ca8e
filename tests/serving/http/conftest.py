"""Two small classifiers in folders, and the application around one of them."""

from contextlib import ExitStack

import pytest
import scipy.sparse as sp

pytest.importorskip("fastapi", reason="pip install 'larix[serve]'")

from fastapi.testclient import TestClient

from larix import DocumentMemory, Refinement, TextFeatures, XRLinear
from larix.serving.http.app import create_app
from larix.serving.http.current_model import CurrentModel
from larix.serving.http.limits import Limits
from larix.serving.http.service import ServiceSettings
from larix.serving.suggester import Suggester
from larix.xmc.label_frequency import LabelFrequencies
from tests.conftest import tiny_documents

DOCUMENTS = tiny_documents()
TEXTS = [document["text"] for document in DOCUMENTS]
LABELS = sorted({label for document in DOCUMENTS for label in document["labels"]})
TOKEN = "0123456789abcdef-token"


def make_classifier(*, names: str = "Name of {}") -> Suggester:
    Y = sp.csr_array([[float(label in document["labels"]) for label in LABELS] for document in DOCUMENTS])
    features = TextFeatures()
    X = features.fit_transform(TEXTS)
    return Suggester(
        features=features,
        model=XRLinear().fit(X, Y),
        label_ids=LABELS,
        label_names=[names.format(label) for label in LABELS],
        frequencies=LabelFrequencies.of(Y),
        refinement=Refinement(memory=DocumentMemory().fit(X, Y, TEXTS)),
    )


@pytest.fixture(scope="session")
def classifier():
    return make_classifier()


@pytest.fixture(scope="session")
def other_classifier():
    return make_classifier(names="Other name of {}")


@pytest.fixture
def folder(classifier, tmp_path):
    classifier.save(tmp_path / "model")
    return tmp_path / "model"


def application(folder, *, limits=None, **settings):
    """A client of an application; it runs inside a `with`."""
    settings = {"watch_seconds": 0, "limits": Limits(**(limits or {})), **settings}
    return TestClient(create_app(CurrentModel(lambda: folder, n_threads=1), ServiceSettings(**settings)))


@pytest.fixture
def start(folder):
    """Start an application of one's own; it stops at the end of the test."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(application(folder, **settings))


@pytest.fixture(scope="session")
def shared_folder(classifier, tmp_path_factory):
    """A model that tests leave as it is."""
    classifier.save(folder := tmp_path_factory.mktemp("shared") / "model")
    return folder


@pytest.fixture(scope="session")
def client(shared_folder):
    """A service for anyone."""
    with application(shared_folder) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(shared_folder):
    """A service with a token."""
    with application(shared_folder, token=TOKEN) as running:
        yield running


def error_of(response, status):
    """Code and message of an error, after a look at its form."""
    assert response.status_code == status, response.text
    content = response.json()
    assert list(content) == ["error"]
    assert set(content["error"]) == {"code", "message"}
    return content["error"]["code"], content["error"]["message"]
