# The gateway as a container image: docker build --tag lianmai .
#
# The image has ffmpeg, for mixes and for WebRTC viewers of streams with B-frames. Data is kept in the volume /data.

FROM rust:1.95-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends binaryen brotli binutils \
 && rm -rf /var/lib/apt/lists/*
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
RUN cargo xtask dist server \
 && mkdir /out \
 && tar --extract --file target/dist/lianmai-*.tar.gz --strip-components 1 --directory /out

FROM debian:12-slim
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner 65532 --group 65532 --mode 0700 /data
COPY --from=build /out/lianmai /usr/bin/lianmai
USER 65532:65532
ENV LIANMAI_DATA=/data \
    LIANMAI_PUBLIC=true
VOLUME /data
EXPOSE 1935 8080 1985 8443 8000 8000/udp
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/usr/bin/lianmai", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/lianmai"]
CMD ["serve"]
