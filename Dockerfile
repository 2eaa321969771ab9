# syntax=docker/dockerfile:1
# Two stages: the first resolves nothing, it installs exactly what the hashed lock names; the second
# has no compiler, no pip cache and no root.

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/bol
COPY requirements-postgres.lock /src/
RUN /opt/bol/bin/pip install --require-hashes --only-binary :all: -r /src/requirements-postgres.lock
COPY pyproject.toml README.md LICENSE /src/
COPY bol_service /src/bol_service
# pip fetches the build backend for this step only; it does not reach the second stage.
RUN /opt/bol/bin/pip install --no-deps /src

FROM python:3.12-slim-bookworm
RUN groupadd --system --gid 10001 bol \
    && useradd --system --uid 10001 --gid bol --no-create-home --shell /usr/sbin/nologin bol \
    && install -d -o bol -g bol -m 0700 /var/lib/bol /var/lib/bol/state
COPY --from=build /opt/bol /opt/bol
ENV PATH=/opt/bol/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/bol
EXPOSE 8080
STOPSIGNAL SIGTERM
CMD ["bol", "serve", "--host", "0.0.0.0", "--port", "8080"]
