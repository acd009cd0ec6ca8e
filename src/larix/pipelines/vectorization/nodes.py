"""Turn documents into sparse rows and label sets into a sparse matrix."""

from dataclasses import dataclass, field

from larix.corpora import Corpus
from larix.pipelines.stage_params import StageParams
from larix.serving.given_features import GivenFeatures
from larix.xmc.sparse import CSR
from larix.xmc.text_features import NgramParams, TextFeatures, TextFeaturesParams

_DEFAULT = TextFeaturesParams()


@dataclass(frozen=True)
class VectorizationParams(StageParams):
    """What becomes of a text.

    Parameters
    ----------
    word, char : NgramParams or None
        Word and character n-grams; None leaves a part out.
    normalize_given : bool
        Where the corpus gives features instead of texts, divide every row by its l2 norm.
    """

    word: NgramParams | None = field(default=_DEFAULT.word)
    char: NgramParams | None = field(default=_DEFAULT.char)
    normalize_given: bool = True


def fit_features(
    corpus: Corpus, params: VectorizationParams, n_threads: int | None
) -> tuple[TextFeatures | GivenFeatures, CSR]:
    """Vectorizer learnt from the training documents, and their rows."""
    if corpus.train.texts is None:
        given = GivenFeatures(corpus.train.features.shape[1], normalize=params.normalize_given)
        return given, given.transform(corpus.train.features)
    features = TextFeatures(TextFeaturesParams(params.word, params.char), n_threads=n_threads)
    train_instances = features.fit_transform(corpus.train.texts)
    return features, train_instances


def vectorize_test(text_features: TextFeatures | GivenFeatures, corpus: Corpus) -> CSR:
    """Rows of the test documents."""
    return text_features.transform(corpus.test.features if corpus.test.texts is None else corpus.test.texts)


def extract_labels(corpus: Corpus) -> tuple[CSR, CSR]:
    """Label matrices of the training and of the test documents."""
    return corpus.train.labels, corpus.test.labels


def extract_rejected(corpus: Corpus) -> CSR:
    """Labels that are known to be wrong for training documents, N x L."""
    rejected: CSR = corpus.train.rejected
    return rejected
