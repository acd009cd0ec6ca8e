# larix as a service: docker build -t larix . && docker run -p 127.0.0.1:8000:8000 -v "$PWD/data/06_models/classifier:/models/classifier:ro" larix
# Any other command runs in its place: docker run larix larix --help

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /larix
RUN python -m venv /opt/larix
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src src
# With EXTRAS=serve,transformer the service also takes classifiers with an encoder.
ARG EXTRAS=serve
RUN /opt/larix/bin/pip install --constraint constraints.txt ".[${EXTRAS}]"

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 1000 larix
COPY --from=build /opt/larix /opt/larix
ENV PATH=/opt/larix/bin:$PATH \
    DO_NOT_TRACK=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/home/larix/.cache/numba
USER 1000
WORKDIR /home/larix
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=2)"]
CMD ["larix", "serve", "/models/classifier", "--host=0.0.0.0"]
