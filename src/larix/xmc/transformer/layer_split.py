"""An encoder in two parts: its lower layers, and its top ones that take what these give.

The parts share their weights with the encoder. A split is tried on a few tokens before it is used: an encoder
whose layers do not simply follow each other, or share weights, is refused.
"""

import copy
from typing import Any

from larix.xmc.transformer.libraries import import_torch

_EMBEDDINGS = "embeddings"
_N_TOKENS = 5


def split_layers(model: Any, n_top: int) -> tuple[Any, Any]:
    """Split a model of transformers below its top layers.

    Parameters
    ----------
    model : torch module
        An encoder whose layers are a list of modules behind `embeddings`, as in BERT, RoBERTa and MPNet.
    n_top : int
        Layers of the upper part.

    Returns
    -------
    lower, upper : torch modules
        With `states = lower(input_ids, attention_mask).last_hidden_state` the upper part gives what the model
        does, from `upper(inputs_embeds=states, attention_mask=...)`.

    Raises
    ------
    ValueError
        If the model has not as many layers, or can't be split.
    """
    place, layers = _find_layers(model)
    if not 1 <= n_top <= len(layers):
        raise ValueError(
            f"the encoder has {len(layers)} layers, so 1 to {len(layers)} can be split off, but not {n_top}"
        )
    module_list, boundary = import_torch().nn.ModuleList, len(layers) - n_top
    lower = _with(model, place, module_list(layers[:boundary]))
    upper = _with(model, place, module_list(layers[boundary:]))
    upper = _with(upper, [_EMBEDDINGS], _given_states())
    if not _agrees(model, lower, upper):
        raise _not_split(model)
    return lower, upper


def _find_layers(model: Any) -> tuple[list[str], Any]:
    """Place and content of the one list with all layers."""
    module_list, n = import_torch().nn.ModuleList, model.config.num_hidden_layers
    lists = [
        (name.split("."), module)
        for name, module in model.named_modules()
        if isinstance(module, module_list) and len(module) == n
    ]
    if len(lists) != 1 or not hasattr(model, _EMBEDDINGS):
        raise _not_split(model)
    return lists[0]


def _not_split(model: Any) -> ValueError:
    return ValueError(
        f"the layers of a {type(model).__name__} can't be split, as those of BERT can; take another encoder, "
        "or leave its layers as they are (n_layers: 0)"
    )


def _with(model: Any, place: list[str], module: Any) -> Any:
    """A copy of the model that shares all but one of its modules."""
    if not place:
        return module
    changed, (name, *rest) = copy.copy(model), place
    changed._modules = {**model._modules, name: _with(model._modules[name], rest, module)}
    return changed


def _given_states() -> Any:
    """In the place of embeddings: what is given passes through."""
    torch = import_torch()

    class GivenStates(torch.nn.Module):  # type: ignore[name-defined]
        def forward(self, *given: Any, inputs_embeds: Any = None, **_: Any) -> Any:
            return next(states for states in (inputs_embeds, *given) if states is not None)

    return GivenStates()


def _agrees(model: Any, lower: Any, upper: Any) -> bool:
    torch = import_torch()
    ids = (torch.arange(2 * _N_TOKENS) % model.config.vocab_size).reshape(2, -1).to(model.device)
    mask = torch.ones_like(ids)
    mask[1, -2:] = 0
    try:
        with torch.inference_mode():
            whole = model(input_ids=ids, attention_mask=mask).last_hidden_state
            states = lower(input_ids=ids, attention_mask=mask).last_hidden_state
            split = upper(inputs_embeds=states, attention_mask=mask).last_hidden_state
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return False
    return bool(torch.allclose(whole[mask > 0], split[mask > 0], atol=1e-4))
