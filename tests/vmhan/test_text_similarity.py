import torch
from tiny import tiny_model, tiny_tokenizer

from vmhan.text_similarity import MeanPooledEncoder


def encoder(**settings):
    return MeanPooledEncoder(tiny_model().vmhan.text_model, tiny_tokenizer(), **settings)


def test_a_text_gets_the_same_vector_beside_longer_ones():
    encode = encoder()
    together = encode(["man", "a man in a very long red dress", "dog"])
    assert together.shape == (3, 16) and not together.requires_grad
    assert torch.allclose(together[0], encode(["man"])[0], atol=1e-5)
    assert not torch.allclose(together[0], together[2], atol=1e-2)


def test_many_texts_are_encoded_in_batches():
    texts = [f"man {number}" for number in range(130)]
    encode = encoder()
    assert torch.allclose(encode(texts)[129], encode(texts[129:])[0], atol=1e-5)


def test_encoding_leaves_a_model_in_training():
    model = tiny_model().vmhan.text_model.train()
    encode = MeanPooledEncoder(model, tiny_tokenizer())
    assert torch.equal(encode(["man"]), encode(["man"]))
    assert model.training


def test_long_texts_are_cut():
    encode = encoder(max_length=8)
    assert torch.allclose(encode(["streets " * 500]), encode(["streets " * 9]), atol=1e-6)
