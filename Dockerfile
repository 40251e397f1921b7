# syntax=docker/dockerfile:1
# Gexcord in a container; compose.yaml starts it with a Valkey beside it. No engine has built this file yet: `.ci/image` runs its RUN
# lines in a fresh virtual environment, and the tests run its command and its health check with its settings.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/gexcord
RUN python -m venv .venv
COPY requirements.txt .
# Bytecode comes with the image: the root folder is read-only when it runs.
RUN .venv/bin/pip install --require-hashes --only-binary :all: --compile --requirement requirements.txt
COPY run_bot.py .env.back ./
COPY streaming streaming
COPY bot bot
COPY cogs cogs
RUN .venv/bin/python -m compileall -q bot cogs streaming run_bot.py

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin gexcord
COPY --from=build /opt/gexcord /opt/gexcord
ENV PATH=/opt/gexcord/.venv/bin:$PATH \
    PYTHONPATH=/opt/gexcord \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    METRICS_PORT=9105 \
    METRICS_ADDRESS=0.0.0.0
# Settings come from the environment and from files named by *_FILE; what is kept is in /data.
WORKDIR /data
VOLUME /data
USER 10001
EXPOSE 9105
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os; from urllib.request import urlopen; urlopen('http://127.0.0.1:' + os.environ['METRICS_PORT'] + '/health/live', timeout=4)"]
CMD ["python", "/opt/gexcord/run_bot.py"]
