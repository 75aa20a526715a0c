# xor-sweep in a container. Two targets: `cpu`, and `gpu` for a host that has the NVIDIA driver.
#   docker build --target cpu -t xor-sweep:dev .
# The base has the latest Debian security fixes; --build-arg PYTHON_IMAGE=...@sha256:... pins it.

ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

# The base of both targets: the base image without package installers, manuals and translations, and without programs
# that give their caller more rights (su, mount).
# Bytecode is compiled now, because nobody can write it later (without it, importing TensorFlow takes three times as
# long). Any user can write to /runs, as to /tmp.
FROM ${PYTHON_IMAGE} AS system
RUN find / -xdev \( -name ensurepip -o -name pip -o -name 'pip-*' -o -name 'pip3*' -o -name python-wheels \) \
      -prune -exec rm -rf {} + && \
    find / -xdev -type f -perm /6000 -exec chmod ug-s {} + && \
    find /usr/share/doc ! -type d ! -name copyright -delete && \
    rm -rf /usr/local/include /usr/share/locale /usr/share/man /var/cache/apt /var/lib/apt/lists && \
    python3 -m compileall -q "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" && \
    install -d -m 1777 /runs

# The installer, and the lock file that it follows. Debian keeps one version of binutils (`strip`) at a time.
FROM ${PYTHON_IMAGE} AS build
# hadolint ignore=DL3008
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends binutils && \
    rm -rf /var/lib/apt/lists/*
ENV PYC_INVALIDATION_MODE=CHECKED_HASH \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/xor-sweep \
    UV_PYTHON=python3 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /source
COPY .ci/uv.txt .ci/trim-image .ci/
RUN python3 -m pip install --no-cache-dir --root-user-action ignore --require-hashes --only-binary :all: -r .ci/uv.txt
COPY pyproject.toml uv.lock ./

# The dependencies come before the program: a change to the program leaves these large layers alone.
FROM build AS cpu-dependencies
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-editable --no-install-project --extra cpu --extra s3 && .ci/trim-image

FROM build AS gpu-dependencies
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-editable --no-install-project --extra gpu --extra s3 && .ci/trim-image

# The program alone, in an environment at the same path, which is copied over either target's.
FROM build AS program
COPY LICENSE README.md ./
COPY job job
COPY k8s k8s
COPY xor_sweep xor_sweep
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv --quiet "$UV_PROJECT_ENVIRONMENT" && \
    VIRTUAL_ENV="$UV_PROJECT_ENVIRONMENT" uv pip install --no-deps . && \
    find "$UV_PROJECT_ENVIRONMENT/bin" -type f ! -name xor-sweep -delete

# From scratch: otherwise, what `system` removed would still take up space in the layer below.
FROM scratch AS runtime
# hadolint ignore=DL3067
COPY --from=system / /
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    PATH=/opt/xor-sweep/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title="xor-sweep" \
      org.opencontainers.image.description="How many layers, how many neurons? A sweep whose verdict is statistically sound." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
# The default output is the working folder: runs go to /runs/<run>, which is a volume even if the rest is read-only.
WORKDIR /
VOLUME /runs
USER 65532:65532
ENTRYPOINT ["xor-sweep"]
CMD ["--help"]

FROM runtime AS gpu
COPY --from=gpu-dependencies /opt/xor-sweep /opt/xor-sweep
COPY --from=program /opt/xor-sweep /opt/xor-sweep

# The last target is the one that is built if none is named.
FROM runtime AS cpu
COPY --from=cpu-dependencies /opt/xor-sweep /opt/xor-sweep
COPY --from=program /opt/xor-sweep /opt/xor-sweep
