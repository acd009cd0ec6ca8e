"""Makes a tiny encoder; needs torch and transformers."""

from pathlib import Path

import pytest

WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "lung", "failure", "of", "the", "skin", "wrist",
    "chest", "pain", "fracture", "rash", "cough", "bone", "infection",
]  # fmt: skip


def save_tiny_encoder(folder: Path, **config: int) -> Path:
    """Save a BERT with random weights; skip the test where the extra is not installed."""
    torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra transformer is not installed")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    model = transformers.BertModel(transformers.BertConfig(vocab_size=len(WORDS), **sizes | config))
    model.save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
