"""Processes that train together: each does its share of a step, and all end it with the same weights.

Every worker runs the same program over the same data. What a step does is decided by its number alone, so
that workers agree without talking; they exchange gradients, vectors of texts, and the start of a head.
Gradients are those of the whole batch, whatever the number of workers, up to the order of sums (and the
draws of dropout, which differ from worker to worker). Who starts the processes and joins them is no concern
of this module; see `larix.engines`.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.transformer.libraries import import_torch

_ROWS_AT_ONCE = 65536  # of an array on its way through the workers' device
_ELEMENTS_AT_ONCE = 8 * 1024 * 1024  # of gradients that travel as one


class Workers:
    """One worker, which does everything itself, and what it would ask of others.

    Attributes
    ----------
    rank : int
        Number of this worker.
    size : int
        Number of workers.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this worker writes what all need, and tells how far they are."""
        return self.rank == 0

    @property
    def share(self) -> slice:
        """Which of the items in a sequence are this worker's: every `size`-th."""
        return slice(self.rank, None, self.size)

    def total(self, value: float) -> float:
        """Sum of a value over all workers."""
        return value

    @contextmanager
    def first_goes_ahead(self) -> Iterator[None]:
        """The others enter the block when the first worker has left it, and find what it made there."""
        if not self.is_first:
            self.total(0)
        yield
        if self.is_first:
            self.total(0)

    def add(self, array: NDArray[np.float32]) -> None:
        """Replace an array (n x d) by its sum over all workers."""

    def spread(self, tensors: Iterable[Any]) -> None:
        """Overwrite tensors with those of the first worker."""

    def add_gradients(self, parameters: Iterable[Any], sparse_parameters: Iterable[Any]) -> None:
        """Replace gradients by their sums over all workers.

        Parameters
        ----------
        parameters, sparse_parameters : iterables of tensor
            With dense gradients, and with gradients that have some rows only. A worker whose share was
            empty has none.
        """


ONE_WORKER = Workers()


class ProcessGroup(Workers):
    """The workers of torch's default process group, which must have been joined.

    Parameters
    ----------
    device : torch.device or str
        Where this worker computes; tensors are exchanged from there.
    """

    def __init__(self, device: Any = "cpu") -> None:
        self._device, self._group = device, import_torch().distributed
        self.rank, self.size = self._group.get_rank(), self._group.get_world_size()

    def total(self, value: float) -> float:
        sum_ = self._tensor([value], "float64")
        self._group.all_reduce(sum_)
        return float(sum_)

    def add(self, array: NDArray[np.float32]) -> None:
        for begin in range(0, len(array), _ROWS_AT_ONCE):
            rows = array[begin : begin + _ROWS_AT_ONCE]
            sum_ = import_torch().from_numpy(rows).to(self._device)
            self._group.all_reduce(sum_)
            rows[:] = sum_.cpu().numpy()

    def spread(self, tensors: Iterable[Any]) -> None:
        for tensor in tensors:
            self._group.broadcast(tensor.detach(), src=0)

    def add_gradients(self, parameters: Iterable[Any], sparse_parameters: Iterable[Any]) -> None:
        torch, parameters = import_torch(), list(parameters)
        has_gradient = self._tensor([parameter.grad is not None for parameter in parameters], "int32")
        self._group.all_reduce(has_gradient)
        taking_part = [p for p, n in zip(parameters, has_gradient.tolist(), strict=True) if n]
        for parameter in taking_part:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        for bucket in _buckets(taking_part):
            sums = torch.cat([parameter.grad.reshape(-1) for parameter in bucket])
            self._group.all_reduce(sums)
            for parameter, sum_ in zip(bucket, sums.split([p.numel() for p in bucket]), strict=True):
                parameter.grad.copy_(sum_.view_as(parameter))
        for parameter in sparse_parameters:
            self._add_rows(parameter)

    def _add_rows(self, parameter: Any) -> None:
        torch = import_torch()
        if parameter.grad is None:
            rows, values = self._tensor([], "int64"), parameter.new_zeros((0, *parameter.shape[1:]))
        else:
            gradient = parameter.grad.coalesce()
            rows, values = gradient.indices()[0], gradient.values()
        all_rows = self._union(rows)
        sums = values.new_zeros((len(all_rows), *parameter.shape[1:]))
        sums[torch.searchsorted(all_rows, rows)] = values
        self._group.all_reduce(sums)
        parameter.grad = torch.sparse_coo_tensor(all_rows[None], sums, parameter.shape)

    def _union(self, rows: Any) -> Any:
        """All numbers that a worker has among its `rows`, in their order."""
        torch = import_torch()
        lengths = [self._tensor([0], "int64") for _ in range(self.size)]
        self._group.all_gather(lengths, self._tensor([len(rows)], "int64"))
        longest = max(int(length) for length in lengths)
        padded = rows.new_full((longest,), -1)
        padded[: len(rows)] = rows
        gathered = [torch.empty_like(padded) for _ in lengths]
        self._group.all_gather(gathered, padded)
        union = torch.cat(gathered).unique()
        return union[union >= 0]

    def _tensor(self, values: Sequence[float], dtype: str) -> Any:
        torch = import_torch()
        return torch.tensor(values, dtype=getattr(torch, dtype), device=self._device)


def _buckets(parameters: Iterable[Any]) -> Iterator[list[Any]]:
    """Parameters in groups that travel as one, as many small messages would take long."""
    bucket, n_elements = list[Any](), 0
    for parameter in parameters:
        if bucket and n_elements + parameter.numel() > _ELEMENTS_AT_ONCE:
            yield bucket
            bucket, n_elements = [], 0
        bucket.append(parameter)
        n_elements += parameter.numel()
    if bucket:
        yield bucket
