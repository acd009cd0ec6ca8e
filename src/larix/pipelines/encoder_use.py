"""What part an encoder has in a pipeline."""

from typing import Literal

EncoderUse = Literal["frozen", "tuned"]
