"""Fine-tune an encoder and the heads of one or more levels of a label tree.

XR-Transformer (Zhang et al., NeurIPS 2021), section 3.2: AdamW for the encoder, its sparse counterpart for
the head, both with a linear schedule; the encoder's gradients are clipped. Whatever a step does depends on
its number alone (batch, candidates, dropout), so that a run that goes on from a checkpoint ends as an
undisturbed one, and several workers share the rows of a batch without talking about them.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from larix.xmc.choice import check_choice
from larix.xmc.persistence import ModelFolderError
from larix.xmc.progress import track
from larix.xmc.ranges import check_least, check_positive
from larix.xmc.transformer.candidate_head import CandidateHead
from larix.xmc.transformer.candidates import CandidateSampler
from larix.xmc.transformer.checkpoint import load_checkpoint, save_checkpoint
from larix.xmc.transformer.length_buckets import LengthBuckets
from larix.xmc.transformer.libraries import import_torch, torch_threads
from larix.xmc.transformer.losses import Loss, candidate_loss
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.workers import ONE_WORKER, Workers

logger = logging.getLogger(__name__)
_LOSSES_TOLD = 10  # lines of the log for a level


@dataclass(frozen=True)
class LevelTrainingParams:
    """How one level is trained.

    Parameters
    ----------
    steps : int
    batch_size : int
        Texts that go through the encoder at once.
    accumulation : int
        Batches of a step.
    learning_rate, head_learning_rate : float
        Of the encoder and of the head, at the end of the warm-up; they fall to 0 from there.
    warm_up : float
        Share of the steps.
    weight_decay : float
        Of the encoder.
    max_gradient : float
        Longest gradient of the encoder.
    loss : {"squared_hinge", "hinge", "logistic"}
    weighted : bool
        Whether a cluster counts as often as an instance has labels in it.
    positive_weight : float
        What a true cluster counts beside one of the others. A head that begins as a linear model is at home
        where this is the model's Cp / Cn.
    """

    steps: int = 200
    batch_size: int = 64
    accumulation: int = 1
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    warm_up: float = 0.1
    weight_decay: float = 0.0
    max_gradient: float = 1.0
    loss: Loss = "squared_hinge"
    weighted: bool = False
    positive_weight: float = 1.0

    def __post_init__(self) -> None:
        check_choice("loss", self.loss, get_args(Loss))
        positive = ("batch_size", "accumulation", "learning_rate", "head_learning_rate", "max_gradient")
        check_positive(self, *positive, "positive_weight")
        check_least(self, 0, "steps", "weight_decay")
        if not 0 <= self.warm_up <= 1:
            raise ValueError(f"warm_up must lie in 0..1, but is {self.warm_up}")

    def schedule(self, step: int) -> float:
        """Factor of the learning rates at a step: up from 0 in the warm-up, down to 0 afterwards."""
        rising = self.warm_up * self.steps
        if step < rising:
            return (step + 1) / (rising + 1)
        return (self.steps - step) / max(self.steps - rising, 1)


class LevelTrainer:
    """Encoder, heads and their optimisers, on the way through the steps of a training.

    Parameters
    ----------
    encoder : TrainableEncoder
        Changed in place.
    heads : sequence of pairs of CandidateHead and CandidateSampler
        Of one level, or of several that are trained together, each with as much weight as it has candidates
        in a batch. Heads are changed in place; samplers are those of the same instances.
    tokens : TokenIds
        Of the training texts.
    params : LevelTrainingParams
    random_state : int
    n_threads : int or None
        Last bits depend on it.
    workers : Workers
        Who shares the work. All of them build a trainer of the same encoder, heads and data.

    Attributes
    ----------
    step : int
        Steps done.
    losses : list of float
        Of each step done.
    """

    def __init__(
        self,
        encoder: TrainableEncoder,
        heads: Sequence[tuple[CandidateHead, CandidateSampler]],
        tokens: TokenIds,
        params: LevelTrainingParams = LevelTrainingParams(),
        *,
        random_state: int = 0,
        n_threads: int | None = None,
        workers: Workers = ONE_WORKER,
    ) -> None:
        torch = import_torch()
        self.encoder, self.heads, self.tokens = encoder, tuple(heads), tokens
        self.params, self.random_state, self.n_threads = params, random_state, n_threads
        self.workers = workers
        self.step, self.losses = 0, list[float]()
        self._batches = LengthBuckets(tokens.lengths, params.batch_size, random_state)
        self._optimizers = {
            "encoder": torch.optim.AdamW(encoder.parameter_groups(params.weight_decay)),
            "head": torch.optim.SparseAdam(self._head_parameters),
        }
        self._rates = {"encoder": params.learning_rate, "head": params.head_learning_rate}

    def run(
        self,
        *,
        checkpoint: Path | str | None = None,
        checkpoint_steps: int = 100,
        watch: Callable[[int], None] | None = None,
    ) -> None:
        """Do the steps that are left.

        Parameters
        ----------
        checkpoint : path-like, optional
            A folder in which the first worker keeps the state every `checkpoint_steps`; if there is one,
            training goes on from it.
        checkpoint_steps : int
        watch : callable, optional
            Is told the number of steps done, before the first one and after each, once a checkpoint is kept.

        Raises
        ------
        larix.xmc.persistence.ModelFolderError
            If the checkpoint is damaged, of another training, or not seen by all workers.
        """
        if checkpoint is not None:
            self._load(checkpoint)
        begun, n_left = time.perf_counter(), self.params.steps - self.step
        description = f"fine-tuning on {' and '.join(f'{n:,}' for n in self._n_nodes)} clusters"
        watch = watch or (lambda _: None)
        with self.encoder.training(), torch_threads(self.n_threads):
            watch(self.step)
            for _ in track(range(n_left), description, n_left):
                self.losses.append(self._do_step())
                self.step += 1
                self._tell(description)
                at_end = self.step == self.params.steps
                if checkpoint is not None and (at_end or self.step % checkpoint_steps == 0):
                    self._save(checkpoint)
                watch(self.step)
        logger.info("%s: %d steps, %.1f s", description, n_left, time.perf_counter() - begun)

    def _do_step(self) -> float:
        torch, factor, total = import_torch(), self.params.schedule(self.step), 0.0
        for name, optimizer in self._optimizers.items():
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = self._rates[name] * factor
        first = self.step * self.params.accumulation
        for number in range(first, first + self.params.accumulation):
            loss = self._loss(number)
            if loss is not None:
                loss = loss / self.params.accumulation
                loss.backward()
                total += float(loss.detach())
        self.workers.add_gradients(self.encoder.model.parameters(), self._head_parameters)
        trained = [p for p in self.encoder.model.parameters() if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(trained, self.params.max_gradient)
        for optimizer in self._optimizers.values():
            optimizer.step()
        return self.workers.total(total)

    def _loss(self, number: int) -> Any:
        """Of this worker's share of a batch, by its number; None if the share is empty."""
        rng = np.random.default_rng([self.random_state, number])
        batch = self._batches.batch(number)
        rows = batch[self.workers.share]
        dropout_seed = int(rng.integers(2**63))
        rank, size = self.workers.rank, self.workers.size
        drawn = [sampler.draw(batch, rng) for _, sampler in self.heads]
        n_pairs = [len(candidates.nodes) for candidates in drawn]
        if not len(rows):
            return None
        with _dropout_seed(dropout_seed ^ rank):
            vectors = self.encoder.vectors(*self.tokens.batch(rows))
        total = 0.0
        for (head, _), every, n in zip(self.heads, drawn, n_pairs, strict=True):
            candidates = every.share(rank, size)
            margins = head.margins(vectors, candidates)
            loss = candidate_loss(
                margins, candidates, self.params.loss,
                weighted=self.params.weighted, positive_weight=self.params.positive_weight,
            )  # fmt: skip
            total = total + loss * (n / sum(n_pairs))
        return total * (len(rows) / len(batch))

    @property
    def _head_parameters(self) -> list[Any]:
        return [parameter for head, _ in self.heads for parameter in head.parameters]

    @property
    def _n_nodes(self) -> list[int]:
        return [sampler.n_nodes for _, sampler in self.heads]

    def _tell(self, description: str) -> None:
        every = max(self.params.steps // _LOSSES_TOLD, 1)
        if self.step % every == 0:
            mean = float(np.mean(self.losses[-every:]))
            logger.info("%s: step %d of %d, loss %.4f", description, self.step, self.params.steps, mean)

    def _save(self, path: Path | str) -> None:
        if not self.workers.is_first:
            return
        save_checkpoint(
            path,
            training=self._identity(),
            progress={"step": self.step, "losses": self.losses},
            models=self._models(),
            optimizers=self._optimizers,
        )

    def _load(self, path: Path | str) -> None:
        """Go on from a checkpoint, if there is one."""
        if Path(path).exists():
            progress = load_checkpoint(
                path, training=self._identity(), models=self._models(), optimizers=self._optimizers
            )
            self.step, self.losses = progress["step"], list(progress["losses"])
            logger.info("training goes on after step %d, from %s", self.step, path)
        if self.workers.total(self.step) != self.step * self.workers.size:
            raise ModelFolderError(
                f"all workers must see the same checkpoint in {path}, but don't: worker {self.workers.rank} "
                f"found {self.step} steps; keep it in a folder that all machines share"
            )

    def _models(self) -> dict[str, dict[str, Any]]:
        """All tensors that training changes, by name."""
        heads = {
            f"head_{sampler.level}": {"weight": head.weight, "bias": head.bias}
            for head, sampler in self.heads
        }
        return {"encoder": dict(self.encoder.model.state_dict()), **heads}

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must have been made by."""
        return {
            "encoder": self.encoder.origin.digest,
            "params": {name: getattr(self.params, name) for name in self.params.__dataclass_fields__},
            "random_state": self.random_state,
            "levels": [sampler.level for _, sampler in self.heads],
            "n_nodes": self._n_nodes,
            "n_instances": len(self.tokens),
        }


@contextmanager
def _dropout_seed(seed: int) -> Iterator[None]:
    """Torch's random numbers begin with a seed inside the block, and go on as before after it."""
    torch = import_torch()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
