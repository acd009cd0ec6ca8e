"""One pass through an encoder's lower layers for two embeddings: its own, and that of tuned top layers."""

import hashlib
import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.progress import track
from larix.xmc.transformer.embedding_cache import EmbeddingCache, Keys, text_keys
from larix.xmc.transformer.encoder import SentenceEncoder, computes_in_bfloat16, pool
from larix.xmc.transformer.layer_split import split_layers
from larix.xmc.transformer.libraries import import_torch, torch_threads
from larix.xmc.transformer.token_states import TokenStateCache, TokenStates
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.transformer.top_layers import TopLayers

logger = logging.getLogger(__name__)
_TEXTS_PER_PART = 4096


class LayeredEncoder:
    """An encoder that is split below its top layers.

    What the lower layers give goes on in 16 bits. It is kept in the encoder's cache folder if so wished.

    Parameters
    ----------
    encoder : SentenceEncoder
    n_layers : int
        Of the upper part.
    tuned : TopLayers, optional
        In the place of the upper part, for a second embedding.
    keeps_states : bool
        Whether to keep what the lower layers give for new texts: in the encoder's cache folder, or else in
        memory. What is kept already is used in any case.

    Raises
    ------
    ValueError
        If the tuned layers are those of another encoder.
    """

    def __init__(
        self,
        encoder: SentenceEncoder,
        n_layers: int,
        tuned: TopLayers | None = None,
        *,
        keeps_states: bool = False,
    ) -> None:
        if tuned is not None and (tuned.encoder_digest, tuned.n_layers) != (encoder.files.digest, n_layers):
            raise ValueError(
                f"the top layers are {tuned.n_layers} of another encoder than {encoder.files.folder} holds "
                f"now, or not {n_layers}; tune them anew, or put that encoder back"
            )
        self.encoder, self.n_layers, self.tuned, self.keeps_states = encoder, n_layers, tuned, keeps_states

    def embed(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Vectors of unit length: the encoder's own, then those of the tuned layers if there are any.

        Returns
        -------
        list of float32 array, texts x d

        Raises
        ------
        ValueError
            If the encoder can't be split.
        """
        keys, first, place = np.unique(text_keys(texts), axis=0, return_index=True, return_inverse=True)
        vectors = [np.zeros((len(keys), self.encoder.dimension), np.float32) for _ in self._digests]
        folders = [self.encoder.kept_in(digest) for digest in self._digests]
        caches = [None if folder is None else EmbeddingCache(folder) for folder in folders]
        known = np.array([
            np.zeros(len(keys), np.bool_) if cache is None else cache.fill(keys, of_kind)
            for cache, of_kind in zip(caches, vectors, strict=True)
        ])  # fmt: skip
        needed = ~known.all(axis=0)
        if self.keeps_states:
            needed |= self._kept.find(keys).chunk < 0
        new = np.flatnonzero(needed)
        new = new[np.argsort(first[new])]  # in the order of the texts
        for begin in range(0, len(new), _TEXTS_PER_PART):
            rows = new[begin : begin + _TEXTS_PER_PART]
            states = self._states(keys[rows], [texts[i] for i in first[rows]])
            for kind, (of_kind, cache) in enumerate(zip(vectors, caches, strict=True)):
                unknown = np.flatnonzero(~known[kind, rows])
                if not len(unknown):
                    continue
                of_kind[rows[unknown]] = self._finish(kind, states.take(unknown))
                if cache is not None:
                    cache.add(keys[rows[unknown]], of_kind[rows[unknown]])
        logger.debug("vectors of %d texts, %d of them new", len(texts), len(new))
        return [of_kind[place.reshape(-1)] for of_kind in vectors]

    def states(self, texts: Sequence[str]) -> TokenStates:
        """What the lower layers give for texts, as it is kept or made now."""
        return self._states(text_keys(texts), list(texts))

    @cached_property
    def parts(self) -> tuple[Any, Any, Any]:
        """Lower part, upper part, and tokenizer."""
        model, tokenizer = self.encoder.load()
        return (*split_layers(model, self.n_layers), tokenizer)

    def vectors(self, upper: Any, states: NDArray[np.float32], mask: NDArray[np.int64]) -> Any:
        """Pooled vectors of unit length that an upper part makes of padded states; tensor, B x d."""
        torch = import_torch()
        device = next(upper.parameters()).device
        given, seen = (torch.from_numpy(array).to(device) for array in (states, mask))
        with self._precision(device.type):
            pooled = pool(upper(inputs_embeds=given, attention_mask=seen), seen, self.encoder.pooling)
        return torch.nn.functional.normalize(pooled.float(), dim=1)

    @property
    def _digests(self) -> list[str]:
        own = self.encoder.digest
        return [own] if self.tuned is None else [own, _joined(own, self.tuned.digest)]

    @cached_property
    def _kept(self) -> TokenStateCache:
        encoder = self.encoder
        made_by = (encoder.files.digest, str(encoder.max_tokens), encoder.precision, str(self.n_layers))
        return TokenStateCache(encoder.kept_in(_joined("states", *made_by)))

    @cached_property
    def _uppers(self) -> list[tuple[Any, Any]]:
        """For each kind of vectors the upper part, and the map of what it gives if there is one."""
        torch, upper = import_torch(), self.parts[1]
        if self.tuned is None:
            return [(upper, None)]
        A = torch.from_numpy(np.array(self.tuned.projection)).to(upper.device)
        return [(upper, None), (self.tuned.upper(upper), A)]

    def _states(self, keys: Keys, texts: list[str]) -> TokenStates:
        states = self._kept.find(keys)
        missing = np.flatnonzero(states.chunk < 0)
        if not len(missing):
            return states
        made, lengths = self._begin([texts[i] for i in missing])
        if not self.keeps_states:
            return states.filled(TokenStates.of(made, lengths))
        self._kept.add(keys[missing], made, lengths)
        return self._kept.find(keys)

    def _begin(self, texts: list[str]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """States of texts end to end, and the tokens of each."""
        torch, (lower, _, tokenizer) = import_torch(), self.parts
        tokens = TokenIds.of(texts, tokenizer, self.encoder.max_tokens)
        states = np.empty((len(tokens.ids), self.encoder.dimension), np.float16)
        batches = tokens.length_sorted_batches(self.encoder.batch_size)
        with torch_threads(self.encoder.n_threads), torch.inference_mode():
            for rows in track(batches, "encoding texts, lower layers", len(batches)):
                ids, mask = tokens.batch(rows)
                given, seen = (torch.from_numpy(array).to(lower.device) for array in (ids, mask))
                with self._precision(lower.device.type):
                    made = lower(input_ids=given, attention_mask=seen).last_hidden_state
                ragged = made.half().cpu().numpy()
                for row, text in zip(ragged, rows, strict=True):
                    length, end = tokens.lengths[text], tokens.ends[text]
                    states[end - length : end] = row[:length]
        return states, tokens.lengths

    def _finish(self, kind: int, states: TokenStates) -> NDArray[np.float32]:
        """Vectors of texts whose states are given, made by one of the upper parts."""
        torch, (upper, A) = import_torch(), self._uppers[kind]
        vectors = np.zeros((len(states), self.encoder.dimension), np.float32)
        batches = states.length_sorted_batches(self.encoder.batch_size)
        with torch_threads(self.encoder.n_threads), torch.inference_mode():
            for batch in track(batches, "encoding texts, upper layers", len(batches)):
                made = self.vectors(upper, *states.batch(batch))
                mapped = made if A is None else torch.nn.functional.normalize(made @ A.T, dim=1)
                vectors[batch] = mapped.cpu().numpy()
        return vectors

    def _precision(self, device: str) -> Any:
        torch = import_torch()
        use_16_bits = self.encoder.precision == "bfloat16" and computes_in_bfloat16(torch, device)
        return torch.autocast(device, torch.bfloat16, enabled=use_16_bits)


def _joined(*made_by: str) -> str:
    return hashlib.sha256(" ".join(made_by).encode()).hexdigest()
