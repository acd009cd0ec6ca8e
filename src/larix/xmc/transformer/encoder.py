"""Texts as vectors of a pretrained encoder that lies in a local folder.

Reimers, Gurevych: Sentence-BERT. EMNLP 2019 (mean of the last layer's token vectors); Devlin et al.: BERT.
NAACL 2019 (the first token's vector, and the pooler). Code that comes with a model isn't run.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.matrix import unit_rows
from larix.xmc.progress import track
from larix.xmc.transformer.embedding_cache import EmbeddingCache, text_keys
from larix.xmc.transformer.encoder_files import EncoderFiles
from larix.xmc.transformer.libraries import import_torch, import_transformers, torch_threads
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.work_count import count

logger = logging.getLogger(__name__)

Pooling = Literal["mean", "first", "pooler"]
Precision = Literal["float32", "bfloat16"]
EncodeParts = Callable[[list[list[str]]], Iterable[tuple[int, NDArray[np.float32]]]]
_TEXTS_PER_PART = 4096  # what is lost at most when encoding is cut short
_TEXTS_TOLD = 1024  # fewer are encoded in a moment, and not worth a line
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


class SentenceEncoder:
    """An encoder of texts. It is loaded when there is something to encode.

    Parameters
    ----------
    folder : path-like
        Configuration, tokenizer and safetensors weights in the form of the transformers library.
    pooling : {"mean", "first", "pooler"}
        Mean of the token vectors, the first one alone (that of CLS), or what the encoder's pooler gives.
    batch_size : int
    max_tokens : int
        Longer texts are cut.
    precision : {"float32", "bfloat16"}
        Products of 16 bits are used only where the hardware is made for them.
    cache_folder : path-like, optional
        Where vectors are kept, by content of encoder, settings and text; and token ids for fine-tuning.
    n_threads : int or None
        None uses all processors. The last bits of vectors may depend on it, and on a text's batch.

    Raises
    ------
    FileNotFoundError
        If the folder has no configuration or no weights as safetensors.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        pooling: Pooling = "mean",
        batch_size: int = 32,
        max_tokens: int = 64,
        precision: Precision = "float32",
        cache_folder: Path | str | None = None,
        n_threads: int | None = None,
    ) -> None:
        check_choice("pooling", pooling, get_args(Pooling))
        check_choice("precision", precision, get_args(Precision))
        self.files = EncoderFiles(Path(folder))
        self.pooling, self.batch_size, self.max_tokens = pooling, batch_size, max_tokens
        self.precision, self.cache_folder, self.n_threads = precision, cache_folder, n_threads

    def __getstate__(self) -> dict[str, Any]:
        """Copied to another process without the model, which is read there."""
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that vectors are made by: the encoder's files and the settings."""
        made_by = [self.files.digest, self.pooling, self.max_tokens, self.precision]
        return hashlib.sha256(json.dumps(made_by).encode()).hexdigest()

    def kept_in(self, digest: str) -> Path | None:
        """Where the cache keeps what is made in the way of a digest; None without a cache."""
        return None if self.cache_folder is None else Path(self.cache_folder) / digest[:32]

    @property
    def dimension(self) -> int:
        """d, the length of a vector."""
        return self.files.hidden_size

    def embed(self, texts: Sequence[str], *, encode: EncodeParts | None = None) -> NDArray[np.float32]:
        """Vectors of unit length, texts x d.

        Parameters
        ----------
        texts : sequence of str
        encode : callable, optional
            Encodes new texts elsewhere: takes them in parts, and yields the number and the vectors of each
            part in any order.

        Raises
        ------
        ModuleNotFoundError
            If torch or transformers is missing; the message has the command that installs them.
        """
        begun = time.perf_counter()
        keys, first, place = np.unique(text_keys(texts), axis=0, return_index=True, return_inverse=True)
        vectors = np.zeros((len(keys), self.dimension), np.float32)
        folder = self.kept_in(self.digest)
        cache = None if folder is None else EmbeddingCache(folder)
        known = cache.fill(keys, vectors) if cache else np.zeros(len(keys), np.bool_)
        new = np.flatnonzero(~known)
        new = new[np.argsort(first[new])]  # in the order of the texts
        if len(new) > _TEXTS_TOLD:
            logger.info("encoding %d texts; %d others are in the cache", len(new), len(keys) - len(new))
        parts = [new[begin : begin + _TEXTS_PER_PART] for begin in range(0, len(new), _TEXTS_PER_PART)]
        for number, encoded in (encode or self._encode)([[texts[i] for i in first[part]] for part in parts]):
            vectors[parts[number]] = encoded
            if cache:
                cache.add(keys[parts[number]], encoded)
        count("texts encoded", len(new))
        count("texts from the cache", len(keys) - len(new))
        seconds = time.perf_counter() - begun
        level = logging.INFO if len(texts) > _TEXTS_TOLD else logging.DEBUG
        logger.log(level, "vectors of %d texts, %d encoded now, in %.1f s", len(texts), len(new), seconds)
        embedded: NDArray[np.float32] = vectors[place.reshape(-1)]
        return embedded

    def _encode(self, parts: list[list[str]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Vectors of unit length, part by part."""
        for number, part in enumerate(parts):
            model, tokenizer = self._loaded
            tokens = TokenIds.of(part, tokenizer, self.max_tokens)
            vectors = np.zeros((len(tokens), self.dimension), np.float32)
            batches = tokens.length_sorted_batches(self.batch_size)
            description = f"encoding texts, part {number + 1} of {len(parts)}"
            with torch_threads(self.n_threads):
                for rows in track(batches, description, len(batches)):
                    vectors[rows] = self._vectors(model, *tokens.batch(rows))
            yield number, np.asarray(unit_rows(vectors))

    def _vectors(self, model: Any, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        torch = import_torch()
        ids, mask = (torch.from_numpy(array).to(model.device) for array in (ids, mask))
        device = model.device.type
        use_16_bits = self.precision == "bfloat16" and computes_in_bfloat16(torch, device)
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=use_16_bits):
            pooled = pool(model(input_ids=ids, attention_mask=mask), mask, self.pooling)
        vectors: NDArray[np.float32] = pooled.float().cpu().numpy()
        return vectors

    def load(self) -> tuple[Any, Any]:
        """Model and tokenizer, read anew: a module of torch in float32 and its companion of transformers.

        Raises
        ------
        ModuleNotFoundError
            If torch or transformers is missing.
        ValueError
            If the model has a decoder, or the tokenizer no padding token.
        """
        return self._read_model(), self._read_tokenizer()

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return self.load()

    def _read_tokenizer(self) -> Any:
        tokenizer = import_transformers().AutoTokenizer.from_pretrained(str(self.files.folder), **_LOCAL)
        if tokenizer.pad_token_id is None:
            raise ValueError(f"{self.files.folder}: the tokenizer must have a padding token, but has none")
        return tokenizer

    def _read_model(self) -> Any:
        torch, transformers = import_torch(), import_transformers()
        with _without_bars(transformers):
            model = transformers.AutoModel.from_pretrained(
                str(self.files.folder), use_safetensors=True, dtype=torch.float32, **_LOCAL
            )
        if model.config.is_encoder_decoder:
            raise ValueError(f"{self.files.folder} must hold an encoder, but has a decoder too; name another")
        return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def pool(output: Any, mask: Any, pooling: Pooling) -> Any:
    """One vector for every text.

    Parameters
    ----------
    output : model output of transformers
        `last_hidden_state` is batch x tokens x d.
    mask : tensor, batch x tokens
        1 at tokens, 0 at padding.
    pooling : {"mean", "first", "pooler"}

    Returns
    -------
    tensor, batch x d

    Raises
    ------
    ValueError
        If the encoder has no pooler and is asked for it.
    """
    if pooling == "first":
        return output.last_hidden_state[:, 0]
    if pooling == "mean":
        weights = mask.unsqueeze(-1)
        return (output.last_hidden_state * weights).sum(1) / weights.sum(1).clamp(min=1)
    if getattr(output, "pooler_output", None) is None:
        raise ValueError("the encoder has no pooler; choose pooling mean or first")
    return output.pooler_output


def computes_in_bfloat16(torch: Any, device: str) -> bool:
    """Whether products of 16 bits are faster here: with tensor cores or AMX, not with vector units alone."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


@contextmanager
def _without_bars(transformers: Any) -> Iterator[None]:
    """Loading shows no bars of its own."""
    logs = transformers.utils.logging
    shown = logs.is_progress_bar_enabled()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logs.enable_progress_bar()
