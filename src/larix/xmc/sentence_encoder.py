"""Texts as vectors of a pretrained encoder that lies in a local folder.

Reimers, Gurevych, Sentence-BERT, EMNLP 2019: the mean of the last layer's token vectors. The folder is in
the form of the transformers library (configuration, tokenizer, safetensors weights); code that comes with a
model isn't run, and nothing is downloaded. Needs the extra `transformer`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from larix.xmc.matrix import unit_rows
from larix.xmc.parallel import available_threads
from larix.xmc.progress import track

Pooling = Literal["mean", "first"]


class SentenceEncoder:
    """An encoder of texts.

    Parameters
    ----------
    folder : path-like
    pooling : {"mean", "first"}
        Mean of the token vectors, or the first one alone.
    batch_size : int
    max_tokens : int
        Longer texts are cut.
    n_threads : int or None

    Raises
    ------
    ModuleNotFoundError
        If torch or transformers is missing.
    FileNotFoundError
        If the folder has no model configuration.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        pooling: Pooling = "mean",
        batch_size: int = 64,
        max_tokens: int = 64,
        n_threads: int | None = None,
    ) -> None:
        if not (Path(folder) / "config.json").is_file():
            raise FileNotFoundError(
                f"{folder} holds no encoder (config.json, tokenizer, *.safetensors); name a local folder"
            )
        self.pooling, self.batch_size, self.max_tokens = pooling, batch_size, max_tokens
        self.n_threads = n_threads
        self._torch, transformers = _libraries()
        local = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), **local)
        self._model = transformers.AutoModel.from_pretrained(
            str(folder), use_safetensors=True, **local
        ).eval()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, texts x d."""
        order = np.argsort([-len(text) for text in texts], kind="stable")  # little padding in a batch
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        vectors = np.zeros((len(texts), self._model.config.hidden_size), np.float32)
        before = self._torch.get_num_threads()
        self._torch.set_num_threads(available_threads(self.n_threads))
        try:
            for batch in track(batches, "encoding label texts", len(batches)):
                vectors[batch] = self._encode([texts[i] for i in batch])
        finally:
            self._torch.set_num_threads(before)
        embedded: NDArray[np.float32] = unit_rows(vectors)
        return embedded

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        with self._torch.inference_mode():
            hidden = self._model(**tokens).last_hidden_state
        if self.pooling == "first":
            pooled = hidden[:, 0]
        else:
            mask = tokens["attention_mask"].unsqueeze(-1)
            pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        vectors: NDArray[np.float32] = pooled.float().numpy()
        return vectors


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"a sentence encoder needs {error.name}, which is not installed; "
            "run: pip install larix[transformer]"
        ) from None
    return torch, transformers
