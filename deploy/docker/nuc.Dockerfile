# Daemon for a NUC or PC. The context is a folder that `sovits-deploy pack` has written:
#
#   docker build -f deploy/docker/nuc.Dockerfile -t sovits-tiny:nuc out
#
# The wheels come out of the medium, checked by hash; only the system's packages need a network.
ARG BASE=ubuntu:24.04

FROM ${BASE} AS environment
ARG SOFTWARE=medium/software-nuc-cp312-x86_64.tar
# The base names the release, whose packages are updated for security.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
# It is an archive, which ADD unpacks.
# hadolint ignore=DL3020
ADD ${SOFTWARE} /wheelhouse/
RUN python3 -m venv /opt/sovits \
    && /opt/sovits/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-index --require-hashes \
        --find-links /wheelhouse --requirement /wheelhouse/requirements.lock

FROM ${BASE}
LABEL org.opencontainers.image.title="SoVITS-Tiny" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base names the release, whose packages are updated for security.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 980 sovits \
    && useradd --system --uid 980 --gid sovits --groups audio --home-dir /var/lib/sovits --create-home sovits \
    && install -d -o sovits -g sovits /etc/sovits
COPY --from=environment /opt/sovits /opt/sovits
# The image is no good if the voice in it does not sound as it was packed.
RUN /opt/sovits/bin/python -m deploy.prove
USER 980:980
ENV STATE_DIRECTORY=/var/lib/sovits
VOLUME ["/var/lib/sovits"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/sovits/bin/python", "-m", "edge"]
CMD ["serve"]
