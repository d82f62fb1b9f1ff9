# regulars in an image: built in one stage, run in another by a user without rights. docs/operations.md says how.
FROM python:3.12-slim-trixie AS build
WORKDIR /build
COPY requirements.lock pyproject.toml README.md LICENSE ./
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN grep -o '^uv==[^ ]*' requirements.lock | xargs pip install --no-cache-dir && uv venv /opt/regulars
COPY src ./src
RUN uv pip install --no-cache --python /opt/regulars/bin/python \
    --constraint requirements.lock --build-constraint requirements.lock '.[postgres]'

FROM python:3.12-slim-trixie
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/regulars --create-home regulars
COPY --from=build /opt/regulars /opt/regulars
ENV PATH=/opt/regulars/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    REGULARS_WORKSPACE=/var/lib/regulars NUMBA_CACHE_DIR=/tmp/numba
USER 10001
WORKDIR /var/lib/regulars
VOLUME /var/lib/regulars
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/health/ready', timeout=4)"]
ENTRYPOINT ["regulars"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
