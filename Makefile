# `make help` lists the targets. Each works from a fresh clone on a machine with Rust.

DEMO_ADDRESS ?= 127.0.0.1:8000

.PHONY: help build demo test test-long bench bench-large bench-fetch bench-classify lint fmt duckdb packages

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-20s %s\n", $$1, $$2 }'

duckdb: ## fetch the prebuilt DuckDB library (seconds), so that cargo build, run and test work
	@scripts/fetch-duckdb

build: ## target/release/sentinel, which runs from any folder
	@scripts/build

demo: build ## a dashboard of invented reports on http://127.0.0.1:8000
	./target/release/sentinel demo --serve --listen $(DEMO_ADDRESS)

packages: ## what the tests need from the system's packages
	@scripts/need 'chromium|chromium-browser|google-chrome:chromium' dovecot:dovecot-imapd \
		aiosmtpd:python3-aiosmtpd nsd:nsd

test: duckdb packages ## every test but the long ones
	cargo test --locked

test-long: duckdb packages ## kill, soak and volume tests
	cargo test --locked --release --features long-tests --test integration -- long_

bench: build ## reports a second against a floor measured in the same run
	cargo bench --locked --bench ingest -- --sentinel target/release/sentinel

bench-large: build ## a million reports, and a hundred more
	cargo bench --locked --bench ingest -- --sentinel target/release/sentinel --large

bench-fetch: build packages ## a backlog of 20,000 mails against a bare IMAP client, in the same run
	cargo bench --locked --bench fetch -- --sentinel target/release/sentinel

bench-classify: duckdb ## sender, category and cause of ten million records, and every rule over them
	cargo bench --locked --bench classify

lint: duckdb ## what has to be clean before a change is sent
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items

fmt: ## format the sources
	cargo fmt
