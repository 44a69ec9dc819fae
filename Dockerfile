# The operator's image, which is also that of the records sidecar of every session.
#
#   docker build -t enso-operator .
#
# BASE has Python >= 3.11 and venv. Give it by digest where builds must be repeatable:
#   --build-arg BASE=python:3.11-slim@sha256:…
# PIP_INDEX_URL and UV_DEFAULT_INDEX, as build arguments, name a mirror of the package index.

ARG BASE=python:3.11-slim

# What uv.lock says, hashes included, and nothing of ours: this stage changes with the lockfile alone.
FROM ${BASE} AS dependencies
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_NATIVE_TLS=1
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet --no-cache-dir \
        uv==0.13.9 hatchling==1.33.0
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY core/pyproject.toml core/
COPY operator/pyproject.toml operator/
RUN UV_PROJECT_ENVIRONMENT=/opt/enso /opt/tools/bin/uv sync --quiet --frozen --no-dev \
        --no-install-workspace --package enso-operator --compile-bytecode \
    && /opt/enso/bin/python -c 'import site; \
        open(site.getsitepackages()[0] + "/enso.pth", "w").write("/opt/app\n")'

FROM dependencies AS app
COPY core core
COPY operator operator
RUN /opt/tools/bin/uv pip install --quiet --python /opt/tools/bin/python --target /opt/app \
    --no-deps --no-build-isolation --compile-bytecode ./core ./operator \
    && /opt/enso/bin/python -m enso_operator.sessions.pods.runtime_archive /opt/app/runtime.zip

FROM ${BASE}
LABEL org.opencontainers.image.title="enso-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/enso/bin:$PATH
# Numbers, as a Pod that must not run as root can only be checked by number.
USER 65532:65532
WORKDIR /
# -I: neither the working directory nor PYTHON* variables say what runs.
ENTRYPOINT ["/opt/enso/bin/python", "-I", "-m", "enso_operator"]
CMD ["--help"]
COPY --from=dependencies /opt/enso /opt/enso
# The last layer, three MiB: another version of ours is no more than that.
COPY --from=app /opt/app /opt/app
