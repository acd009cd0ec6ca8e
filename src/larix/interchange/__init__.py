"""Models of other libraries, read and written in their own formats."""

from larix.interchange.pecos import PecosFormatError, export_pecos, import_pecos

__all__ = ["PecosFormatError", "export_pecos", "import_pecos"]
