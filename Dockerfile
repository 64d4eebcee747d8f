# Two stages: one compiles, the other holds the program, the DuckDB library beside it and certificate authorities.
#
#   docker build -t dmarc-sentinel .
#   docker compose up -d            with docker-compose.yml, .env and config/config.yml

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential ca-certificates npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The cache of cargo outlives a build; what is needed is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build \
    CARGO_TARGET_DIR=/build scripts/build \
    && strip --strip-debug target/release/sentinel \
    && install -D target/release/sentinel /out/sentinel \
    && install -D target/release/libduckdb.so /out/libduckdb.so

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sentinel \
    && useradd --uid 10001 --gid sentinel --no-create-home --home-dir /data --shell /usr/sbin/nologin sentinel \
    && install -d -o sentinel -g sentinel /data
COPY --from=build /out/ /opt/dmarc-sentinel/
RUN ln -s /opt/dmarc-sentinel/sentinel /usr/local/bin/sentinel
# Below this folder config/config.yml is read where it is mounted, and data is the volume: for what `docker compose exec`
# runs, too, which knows nothing of the entry point.
WORKDIR /app
RUN ln -s /data data
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s \
    CMD ["sentinel", "check", "--health", "http://127.0.0.1:8000/health"]
ENTRYPOINT ["sentinel", "--data-dir", "/data"]
CMD ["serve", "--listen", "0.0.0.0:8000"]
