"""Pretrained encoders in extreme multi-label classification. Needs the extra `transformer`.

Modules of this room import without torch; who uses them without it is told which extra to install.
"""
