# The image of SMS Hub: docs/operations/image.md tells how to build and run it.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /tools && python3 -m venv --without-pip /opt/smshub
WORKDIR /source
# What changes rarely comes first. Ready-made wheels alone, so that no compiler is needed.
COPY requirements/build.txt requirements/run.txt requirements/
RUN /tools/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt \
    && /tools/bin/pip --python /opt/smshub/bin/python3 install --no-compile --require-hashes --only-binary :all: \
        -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY openapi openapi
COPY src src
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /tools/bin/pip --python /opt/smshub/bin/python3 install --no-compile --no-deps /wheels/*.whl \
    # Nothing can be written when it runs, and nothing changes any more: what is compiled need not be checked again.
    && python3 -m compileall -q -f --invalidation-mode unchecked-hash /opt/smshub/lib

FROM ${BASE_IMAGE}
# The hub installs nothing. The official image has pip, others may not.
RUN if python3 -m pip --version; then python3 -m pip uninstall --yes --root-user-action ignore pip setuptools wheel; fi \
    && groupadd --gid 10001 smshub \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/smshub --shell /usr/sbin/nologin smshub \
    && install --directory --owner=10001 --group=10001 /var/lib/smshub
COPY --from=build /opt/smshub /opt/smshub
ENV PATH=/opt/smshub/bin:${PATH} SMSHUB_HOST=0.0.0.0
# It starts, and leaves compiled what it uses of Python's own library, which the official image has as source alone.
RUN smshub --version
ENV PYTHONDONTWRITEBYTECODE=1

ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="SMS Hub" \
    org.opencontainers.image.description="The SMS hub that an organisation trusts with every text it sends." \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.licenses="MIT"

# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
# Without SMSHUB_DATABASE_URL the database is a file here.
WORKDIR /var/lib/smshub
# The interface; the internal ports of `serve` and `api`, and of `dispatcher`.
EXPOSE 8080 8081 8082
ENTRYPOINT ["smshub"]
CMD ["serve"]
