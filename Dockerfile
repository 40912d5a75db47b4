# The three programs, each in an image of its own: nirapod, gateway-agent and
# firmware-sim are targets. The final images hold one static program, no shell.
FROM node:24.21.0-bookworm-slim AS page
WORKDIR /src/dashboard/web
COPY dashboard/web/package.json dashboard/web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY dashboard/web ./
RUN npm run build

FROM golang:1.26.5 AS build
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/dashboard/web/dist dashboard/web/dist
RUN go build -trimpath -o bin/ ./cmd/...
# A volume takes owner and mode from the folder that it covers. Mosquitto's user,
# 1883 in its image, reads the files that nirapod writes for it.
RUN install -d -m 0700 -o 65532 -g 65532 /folders/state /folders/spool \
 && install -d -m 2750 -o 65532 -g 1883 /folders/mosquitto

FROM gcr.io/distroless/static-debian13:nonroot AS nirapod
COPY --from=build /src/bin/nirapod /usr/bin/nirapod
COPY --from=build /folders/state /var/lib/nirapod
COPY --from=build /folders/mosquitto /var/lib/nirapod-mosquitto
USER 65532:65532
ENTRYPOINT ["/usr/bin/nirapod"]
CMD ["serve", "-c", "/etc/nirapod/nirapod.yaml"]

FROM gcr.io/distroless/static-debian13:nonroot AS gateway-agent
COPY --from=build /src/bin/gateway-agent /usr/bin/gateway-agent
COPY --from=build /folders/spool /var/lib/gateway-agent
USER 65532:65532
ENTRYPOINT ["/usr/bin/gateway-agent"]
CMD ["run", "-c", "/etc/nirapod/agent.yaml"]

FROM gcr.io/distroless/static-debian13:nonroot AS firmware-sim
COPY --from=build /src/bin/firmware-sim /usr/bin/firmware-sim
USER 65532:65532
ENTRYPOINT ["/usr/bin/firmware-sim"]
