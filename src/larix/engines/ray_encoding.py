"""Texts encoded by the workers of Ray Data."""

import logging
from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.engines.params import EngineParams
from larix.engines.ray_library import joined
from larix.xmc.progress import track
from larix.xmc.transformer.encoder import EncodeParts, SentenceEncoder


def encode_on_workers(encoder: SentenceEncoder, params: EngineParams) -> EncodeParts:
    """What `SentenceEncoder.embed` takes as `encode`: every part is encoded by one of the workers.

    Parameters
    ----------
    encoder : SentenceEncoder
        Its cache is left to the process that calls `embed`.
    params : EngineParams
        With one worker or more.
    """

    def encode(parts: list[list[str]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        if not parts:
            return
        with joined(params):
            blocks = _blocks(encoder, parts, params)
            description = f"encoding texts on {params.num_workers} workers, part by part"
            for block in track(blocks, description, len(parts)):
                yield int(block["part"][0]), block["vector"]

    return encode


def _blocks(encoder: SentenceEncoder, parts: list[list[str]], params: EngineParams) -> Any:
    """Blocks of vectors as they come, each of one part."""
    from ray.data import ActorPoolStrategy, DataContext, from_arrow

    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    dataset = from_arrow([_table(number, part) for number, part in enumerate(parts)]).map_batches(
        _Encode,
        fn_constructor_args=[encoder],
        batch_size=None,
        batch_format="numpy",
        compute=ActorPoolStrategy(size=min(params.num_workers, len(parts))),
        num_cpus=params.cpus_per_worker,
        num_gpus=int(params.use_gpu),
    )
    return dataset.iter_batches(batch_size=None, batch_format="numpy")


def _table(number: int, part: list[str]) -> Any:
    import pyarrow as pa

    return pa.table({"part": np.full(len(part), number), "text": pa.array(part, pa.large_string())})


class _Encode:
    """Encodes parts on a worker."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = copy(encoder)
        self._encoder.cache_folder = None

    def __call__(self, batch: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {"part": batch["part"], "vector": self._encoder.embed(batch["text"].tolist())}
