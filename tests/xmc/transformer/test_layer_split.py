import pytest

from larix.xmc.transformer.layer_split import split_layers

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformer is not installed")

SIZES = {
    "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
    "intermediate_size": 16,
}  # fmt: skip


def model_of(family, **sizes):
    torch.manual_seed(0)
    configuration = getattr(transformers, f"{family}Config")(**SIZES | sizes)
    return getattr(transformers, f"{family}Model")(configuration).eval()


@pytest.mark.parametrize("family", ["Bert", "Roberta", "MPNet", "Electra", "DistilBert"])
@pytest.mark.parametrize("n_top", [1, 3])
def test_the_parts_give_together_what_the_whole_gives(family, n_top):
    sizes = {"pad_token_id": 0} if family in ("Roberta", "MPNet") else {}
    if family == "DistilBert":
        sizes = {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 16}
    if family == "Electra":
        sizes = {"embedding_size": 16}
    model = model_of(family, **sizes)
    lower, upper = split_layers(model, n_top)
    ids, mask = torch.randint(1, 30, (4, 6)), torch.ones(4, 6, dtype=torch.long)
    mask[2, 4:] = 0
    with torch.inference_mode():
        whole = model(input_ids=ids, attention_mask=mask)
        states = lower(input_ids=ids, attention_mask=mask).last_hidden_state
        split = upper(inputs_embeds=states, attention_mask=mask)
    torch.testing.assert_close(split.last_hidden_state[mask > 0], whole.last_hidden_state[mask > 0])
    assert sum(p.numel() for p in upper.parameters()) < sum(p.numel() for p in model.parameters())


def test_the_whole_stays_as_it_is():
    model = model_of("Bert")
    names = [name for name, _ in model.named_modules()]
    _, upper = split_layers(model, 1)
    assert [name for name, _ in model.named_modules()] == names
    assert upper.encoder.layer[0] is model.encoder.layer[2]


def test_layers_that_are_not_a_list_are_refused():
    model = model_of("Albert", embedding_size=16)  # its layers share their weights
    with pytest.raises(ValueError, match="layers of a AlbertModel can't be split, as those of BERT can"):
        split_layers(model, 1)


def test_a_model_whose_parts_disagree_with_it_is_refused():
    """Its last norm comes after every layer list, so that the lower part would apply it as well."""
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 1)
    model = model_of("ModernBert", pad_token_id=0, **special)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    with pytest.raises(ValueError, match="can't be split"):
        split_layers(model, 1)


@pytest.mark.parametrize("n_top", [0, 4])
def test_there_must_be_as_many_layers(n_top):
    with pytest.raises(ValueError, match=f"has 3 layers, so 1 to 3 can be split off, but not {n_top}"):
        split_layers(model_of("Bert"), n_top)
