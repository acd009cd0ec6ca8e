"""The sentence encoder of label texts; see `larix.xmc.transformer.encoder`."""

from larix.xmc.transformer.encoder import Pooling, SentenceEncoder

__all__ = ["Pooling", "SentenceEncoder"]
