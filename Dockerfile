FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    ARAUTO_REDIS_WAIT=60 \
    container=docker

WORKDIR /app
COPY requirements.txt requirements.lock requirements-kafka.lock ./
# --build-arg KAFKA=yes: with what KAFKA_URL needs.
ARG KAFKA=
RUN pip install --no-cache-dir --require-hashes -r requirements.lock ${KAFKA:+-r requirements-kafka.lock} \
    && useradd --system --uid 10001 --no-create-home --no-log-init arauto

COPY app.py gunicorn.conf.py ./
COPY arauto arauto
COPY static static
COPY templates templates
# Nobody may write here later, so that each start would compile it again.
RUN python -m compileall -q app.py arauto

USER 10001
EXPOSE 8000
# SIGTERM says goodbye to every browser (close code 1001) and ends within docker's ten seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz\", timeout=2)"]
CMD ["gunicorn", "app:app"]
