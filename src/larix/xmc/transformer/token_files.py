"""Token ids in files, by content of the texts: tokenized once, and mapped into memory by every process.

Beside the texts, memory holds where each of them ends, and no ids: pages of these come and go as they are
touched, and processes on a machine share them.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from larix.xmc.progress import track
from larix.xmc.transformer.tokens import TEXTS_AT_ONCE, TokenIds, tokenize

logger = logging.getLogger(__name__)


def mapped_tokens(texts: Sequence[str], tokenizer: Any, max_tokens: int, folder: Path) -> TokenIds:
    """Token ids as `TokenIds.of` gives them, in files.

    Parameters
    ----------
    texts : sequence of str
    tokenizer : tokenizer of transformers
    max_tokens : int
    folder : Path
        Belongs to one tokenizer and one `max_tokens`. Several processes may use it at once. What is damaged
        there is made anew.
    """
    path = folder / _digest(texts)[:32]
    found = _find(path, len(texts), tokenizer)
    if found is None:
        made = _make(texts, tokenizer, max_tokens, folder)
        made.save(path)
        found = _find(path, len(texts), tokenizer)
        if found is None:  # another process is putting its own in their place
            return made
    return found


def _digest(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def _find(path: Path, n_texts: int, tokenizer: Any) -> TokenIds | None:
    """Ids that were kept, if they can be used."""
    if not path.exists():
        return None
    try:
        tokens = TokenIds.load(path)
        _check(tokens, n_texts, tokenizer)
    except (ValueError, KeyError, OSError) as error:
        logger.warning("token ids that were kept are made anew: %s", error)
        return None
    return tokens


def _check(tokens: TokenIds, n_texts: int, tokenizer: Any) -> None:
    if len(tokens) != n_texts or tokens.padding_id != tokenizer.pad_token_id:
        raise ValueError(
            f"ids of {n_texts} texts, padded by {tokenizer.pad_token_id}, are needed, but these are of "
            f"{len(tokens)}, padded by {tokens.padding_id}"
        )
    last = max(tokenizer.get_vocab().values())
    lowest, highest = tokens.ids.min(initial=0), tokens.ids.max(initial=0)
    if lowest < 0 or highest > last:
        raise ValueError(f"ids must lie in 0..{last}, the vocabulary, but lie in {lowest}..{highest}")


def _make(texts: Sequence[str], tokenizer: Any, max_tokens: int, folder: Path) -> TokenIds:
    """Ids in a file without a name, which is gone when nobody maps it any more."""
    folder.mkdir(parents=True, exist_ok=True)
    n_batches = -(-len(texts) // TEXTS_AT_ONCE)
    lengths = [np.empty(0, np.int64)]
    with TemporaryFile(dir=folder) as file:
        for ids, of_each in track(tokenize(texts, tokenizer, max_tokens), "tokenizing texts", n_batches):
            file.write(ids.data)
            lengths.append(of_each)
        file.flush()
        mapped = np.memmap(file, np.int32, "r") if file.tell() else np.empty(0, np.int32)
    return TokenIds(mapped, np.cumsum(np.concatenate(lengths)), int(tokenizer.pad_token_id))
