"""Engines: where the training of an encoder runs, in this process or on the workers of Ray.

An engine is passed to who needs it; the mathematics knows of workers (`larix.xmc.transformer.workers`), not
of who started them. Ray is imported only when an engine with workers runs.
"""

from larix.engines.engine import Engine, LocalEngine, make_engine
from larix.engines.params import EngineParams

__all__ = ["Engine", "EngineParams", "LocalEngine", "make_engine"]
