# Daemon for a Jetson with JetPack 6. The context is a folder that `sovits-deploy pack` has written:
#
#   docker build -f deploy/docker/l4t.Dockerfile -t sovits-tiny:jp6 out
#
# TensorRT and its binding come with the base, so the environment sees the system's packages. PyCUDA has no
# wheel and is built here.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0

FROM ${BASE} AS environment
ARG SOFTWARE=medium/software-jp6-cp310-aarch64.tar
ARG PYCUDA=2026.1
# The base names the release, whose packages are updated for security.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
# It is an archive, which ADD unpacks.
# hadolint ignore=DL3020
ADD ${SOFTWARE} /wheelhouse/
ENV PATH=/usr/local/cuda/bin:${PATH}
RUN python3 -m venv --system-site-packages /opt/sovits \
    && /opt/sovits/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-index --require-hashes \
        --find-links /wheelhouse --requirement /wheelhouse/requirements.lock \
    && /opt/sovits/bin/python -m pip install --no-cache-dir --disable-pip-version-check "pycuda==${PYCUDA}"

FROM ${BASE}
LABEL org.opencontainers.image.title="SoVITS-Tiny" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base names the release, whose packages are updated for security.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-libnvinfer libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 980 sovits \
    && useradd --system --uid 980 --gid sovits --groups audio,video --home-dir /var/lib/sovits --create-home sovits \
    && install -d -o sovits -g sovits /etc/sovits
COPY --from=environment /opt/sovits /opt/sovits
RUN /opt/sovits/bin/python -m deploy.prove
USER 980:980
ENV STATE_DIRECTORY=/var/lib/sovits
VOLUME ["/var/lib/sovits"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/sovits/bin/python", "-m", "edge"]
CMD ["serve"]
