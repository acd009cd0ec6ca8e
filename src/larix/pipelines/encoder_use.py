"""What part an encoder has in a pipeline: as it came, fine-tuned before, or fine-tuned as the matcher."""

from typing import Literal

EncoderUse = Literal["frozen", "tuned", "matcher"]
