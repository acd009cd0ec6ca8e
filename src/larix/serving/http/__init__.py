"""A classifier behind HTTP: the extra `serve` (FastAPI, uvicorn, prometheus-client)."""
