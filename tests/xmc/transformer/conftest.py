"""A tiny encoder with random weights and a tokenizer of a few words, made on the spot."""

from pathlib import Path

import pytest

from tests.xmc.transformer.tiny_encoder import save_tiny_encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BERT of 16 dimensions. Tests do not change it."""
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))
