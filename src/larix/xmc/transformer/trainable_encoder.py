"""An encoder whose weights are trained, and saved as a new encoder."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.progress import track
from larix.xmc.transformer.encoder import SentenceEncoder, computes_in_bfloat16, pool
from larix.xmc.transformer.libraries import import_torch, torch_threads
from larix.xmc.transformer.token_files import mapped_tokens
from larix.xmc.transformer.tokens import TokenIds
from larix.xmc.transformer.workers import ONE_WORKER, Workers


class TrainableEncoder:
    """A copy of an encoder's weights, to be changed.

    Parameters
    ----------
    encoder : SentenceEncoder
        Where training begins; it stays as it is.
    trained_layers : int or None
        Only that many layers are trained, the last ones, or all if there are fewer; None trains the
        embeddings of tokens, too.
    """

    def __init__(self, encoder: SentenceEncoder, *, trained_layers: int | None = None) -> None:
        self.origin = encoder
        self.model, self.tokenizer = encoder.load()
        if trained_layers is not None:
            _freeze_below(self.model, trained_layers)

    def __getstate__(self) -> dict[str, Any]:
        """Copied to another process as arrays, since that may lack the device."""
        return {"origin": self.origin, "weights": self._arrays()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["origin"])  # type: ignore[misc]
        torch = import_torch()
        self.model.load_state_dict({name: torch.tensor(array) for name, array in state["weights"].items()})

    def tokens(self, texts: list[str], *, workers: Workers = ONE_WORKER) -> TokenIds:
        """Token ids of texts; with a cache, in files there, which the first worker writes for all."""
        files, max_tokens = self.origin.files, self.origin.max_tokens
        made_by = json.dumps(["tokens", files.digest, max_tokens])
        folder = self.origin.kept_in(hashlib.sha256(made_by.encode()).hexdigest())
        if folder is None:
            return TokenIds.of(texts, self.tokenizer, max_tokens)
        with workers.first_goes_ahead():
            return mapped_tokens(texts, self.tokenizer, max_tokens, folder)

    def vectors(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Any:
        """Vectors of unit length of a batch, as they are joined to text features; tensor, B x d."""
        torch, device = import_torch(), self.model.device
        ids, mask = (torch.from_numpy(array).to(device) for array in (ids, mask))
        use_16_bits = self.origin.precision == "bfloat16" and computes_in_bfloat16(torch, device.type)
        with torch.autocast(device.type, torch.bfloat16, enabled=use_16_bits):
            pooled = pool(self.model(input_ids=ids, attention_mask=mask), mask, self.origin.pooling)
        return torch.nn.functional.normalize(pooled.float(), dim=1)

    def embed(self, tokens: TokenIds, *, workers: Workers = ONE_WORKER) -> NDArray[np.float32]:
        """Vectors of all texts with the weights as they are now, n x d; workers share the batches."""
        torch = import_torch()
        batches = tokens.length_sorted_batches(self.origin.batch_size)[workers.share]
        vectors = np.zeros((len(tokens), self.origin.dimension), np.float32)
        with self.training(False), torch.inference_mode(), torch_threads(self.origin.n_threads):
            for rows in track(batches, "encoding texts anew", len(batches)):
                vectors[rows] = self.vectors(*tokens.batch(rows)).cpu().numpy()
        workers.add(vectors)
        return vectors

    @contextmanager
    def training(self, on: bool = True) -> Iterator[None]:
        """Dropout on or off inside the block."""
        before = self.model.training
        self.model.train(on)
        try:
            yield
        finally:
            self.model.train(before)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Parameters for an optimiser; biases and those of layer norms don't decay."""
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        return [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]

    def save(self, path: Path | str) -> None:
        """Write the trained encoder as a folder that `SentenceEncoder` reads."""
        self.origin.files.save(path, weights=self._arrays())

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.model.state_dict().items()}


def _freeze_below(model: Any, n_trained: int) -> None:
    """Freeze what comes before the last layers; parameters are registered in the order of their use."""
    torch, n_layers = import_torch(), model.config.num_hidden_layers
    stacks = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    layers = next(stack for stack in stacks if len(stack) == n_layers)
    first = next(layers[max(n_layers - n_trained, 0)].parameters())
    for parameter in model.parameters():
        if parameter is first:
            return
        parameter.requires_grad = False
