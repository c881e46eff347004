# The image of Spillgate: the program alone, without a shell and without root.
# It reads repositories itself and so holds no git, which docs/install.md says
# more about. Build: docker build -t spillgate .
FROM --platform=$BUILDPLATFORM golang:1.25 AS build
ARG TARGETOS TARGETARCH VERSION
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/spillgate/spillgate/cmd/spillgate/internal/cli.release=$VERSION" \
      -o /spillgate ./cmd/spillgate

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.source="https://github.com/spillgate/spillgate" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /spillgate /usr/local/bin/spillgate
WORKDIR /repo
USER nonroot
ENTRYPOINT ["/usr/local/bin/spillgate"]
CMD ["--help"]
