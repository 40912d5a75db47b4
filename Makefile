GO      ?= go
BIN     := bin
export CGO_ENABLED := 0

.PHONY: all build web run test race lint check bench eval screenshots clean pi

all: build

build: web
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...

# The page is built once and again when a source of it changes.
WEB_SOURCES := $(shell find dashboard/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
web: dashboard/web/dist/index.html
dashboard/web/dist/index.html: $(WEB_SOURCES)
	cd dashboard/web && npm ci --no-audit --no-fund && npm run build

run: build
	$(BIN)/nirapod demo $(ARGS)

test: web
	$(GO) test -timeout 25m ./...

# Pictures of the stories; those that docs/screenshots/.gitignore names are kept.
screenshots: web
	NIRAPOD_REQUIRE=all NIRAPOD_SCREENSHOTS=$(CURDIR)/docs/screenshots $(GO) test -count=1 -run TestDemo -v ./e2e

race:
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -count=2 -short -timeout 20m ./...

# Prints lines "bench <name> <value> <unit>"; docs/performance.md explains them.
bench: web
	$(GO) test ./e2e/bench -run 'TestPublish$$' -count=1 -timeout 25m -v -full $(ARGS)

lint:
	$(GO) vet ./...
	golangci-lint run

# The shipped rules on recordings of real fires, in ../shared/data, and in the factory month.
eval:
	$(GO) test -count=1 -v -run TestRealFires ./rules/eval $(ARGS)
	$(GO) test -count=1 -v -run TestFactoryMonth -timeout 25m ./e2e/month -month $(ARGS)

check:
	$(GO) run ./cmd/nirapod check -site app/demo/site.yaml

# Static binaries for the Raspberry Pi: 64-bit, and 32-bit from the Pi 2 on.
pi:
	GOOS=linux GOARCH=arm64 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN)/gateway-agent-arm64 ./cmd/gateway-agent
	GOOS=linux GOARCH=arm GOARM=7 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN)/gateway-agent-armv7 ./cmd/gateway-agent

clean:
	rm -rf $(BIN) dashboard/web/node_modules
