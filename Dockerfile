# The server with nothing but its hash-locked requirements, as a user without rights.
#   docker build -t calendly-mcp .
#   docker run --rm -i --read-only -e CALENDLY_ACCESS_TOKEN calendly-mcp
#   docker run --rm -i --read-only calendly-mcp stdio --sandbox
#   docker run --rm --read-only -p 8000:8000 -v calendly-mcp:/data -e CALENDLY_MCP_HOST=0.0.0.0 \
#     -e CALENDLY_MCP_PUBLIC_URL -e CALENDLY_CLIENT_ID -e CALENDLY_CLIENT_SECRET calendly-mcp http

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN python -m venv --without-pip /opt/build \
 && pip --python /opt/build install --no-compile --require-hashes -r requirements/build.lock \
 && python -m venv --without-pip /opt/calendly-mcp \
 && pip --python /opt/calendly-mcp install --no-compile --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE CHANGELOG.md calendly_mcp_server.py ./
COPY auth auth
COPY calendly calendly
COPY events events
COPY sandbox sandbox
COPY server server
COPY storage storage
COPY tools tools
# The file system may be read-only at run time, so everything is compiled now. The compiled files are trusted as they
# are (unchecked-hash): nothing changes a source file inside an image.
RUN pip --python /opt/build wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
 && pip --python /opt/calendly-mcp install --no-compile --no-deps --no-index /opt/wheel/*.whl \
 && /opt/calendly-mcp/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/calendly-mcp/lib

FROM python:3.13-slim
# The newest certificates are the right ones, so their version is not held.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/calendly-mcp /opt/calendly-mcp
COPY scripts/healthcheck.py /opt/calendly-mcp/healthcheck.py
# What the hosted server keeps goes to a volume, which takes its owner from this folder.
RUN install --directory --owner=65532 --group=65532 --mode=0700 /data
ENV PATH=/opt/calendly-mcp/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_DATA_HOME=/data
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8000
# Over stdio there is nothing to ask: the process lives as long as its client, and the check says so. See the script.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "/opt/calendly-mcp/healthcheck.py"]
# By this the MCP registry sees that the image is the owner's; see server.json.
LABEL io.modelcontextprotocol.server.name=io.github.calendly-mcp-server/calendly-mcp-server
ENTRYPOINT ["calendly-mcp"]
CMD ["stdio"]
