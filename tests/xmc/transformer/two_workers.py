"""What each of two processes does that train together; run by test_workers."""

import sys
from pathlib import Path

import numpy as np

from larix.xmc.label_tree import LabelTree
from larix.xmc.persistence import ModelFolderError
from larix.xmc.sparse import check_csr
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.workers import ONE_WORKER, ProcessGroup, Workers
from larix.xmc.transformer.xr_transformer import XRTransformerParams, fine_tune_levels

WORDS = ["heart", "lung", "skin", "wrist", "chest", "bone", "cough", "rash"]
TEXTS = [f"{word} {rest}" for word in WORDS for rest in ("pain", "failure", "infection", "of the")]
Y = check_csr(np.repeat(np.eye(8), 4, axis=0))
TREE = LabelTree((np.array([0, 4]), np.arange(0, 9, 2)), np.arange(8), 8)
# The last batch of an epoch has 5 texts, or a single one, which leaves the second worker none.
TRAININGS = {"uneven": {"batch_size": 9, "accumulation": 2}, "single": {"batch_size": 31}}
LONG = {"batch_size": 9, "steps": 40}


def results(
    encoder: Path, params: dict[str, int], workers: Workers = ONE_WORKER, checkpoints: Path | None = None
) -> dict[str, np.ndarray]:
    """Losses, and embeddings and margins of the texts, after two levels."""
    training = LevelTrainingParams(
        **{"steps": 6, "learning_rate": 5e-3, "head_learning_rate": 0.05, **params}
    )
    cache = None if checkpoints is None else checkpoints.parent / "cache"
    tuned = fine_tune_levels(
        SentenceEncoder(encoder, max_tokens=12, n_threads=1, cache_folder=cache),
        TEXTS, Y, TREE, XRTransformerParams(training, negatives="tfn+man", beam_size=2, max_candidates=3),
        checkpoint_folder=checkpoints, checkpoint_steps=3, n_threads=1, workers=workers,
    )  # fmt: skip
    E, head = tuned.encoder.embed(tuned.encoder.tokens(TEXTS), workers=workers), tuned.heads[1].to_arrays()
    return {"losses": np.array(tuned.losses), "E": E, "margins": E @ head["weight"].T + head["bias"]}


def refusal(encoder: Path, folder: Path, workers: Workers) -> str:
    """The error of a second worker that does not see the first one's checkpoints."""
    try:
        own = folder if workers.is_first else folder / "elsewhere"
        results(encoder, TRAININGS["single"], workers, own)
    except ModelFolderError as error:
        return str(error)
    return ""


def main(rank: int, folder: Path) -> None:
    """Join the other process and leave the results in `folder`."""
    import torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    workers = ProcessGroup()
    for name, params in TRAININGS.items():
        np.savez(folder / f"{name}{rank}.npz", **results(folder / "encoder", params, workers, folder / name))
    (folder / f"refusal{rank}.txt").write_text(refusal(folder / "encoder", folder / "single", workers))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
