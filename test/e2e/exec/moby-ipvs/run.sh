#!/bin/bash
# Builds the Go program in this folder and runs it under `ulvs exec`: run.sh [SOCKET]. It empties the director's table.
# It needs Go 1.19 or later (Debian: golang-go) and fetches moby/ipvs as a module, so `make test` does not run it: the tests replay
# what the program sends (test/exec/genl/recorded.test.ts). With GO111MODULE=off the packages come from GOPATH.
set -euo pipefail
cd "$(dirname "$0")"
command -v go >/dev/null || { echo "run.sh: go is missing: apt-get install golang-go" >&2; exit 1; }
program=$(mktemp)
trap 'rm -f "$program"' EXIT
[ "${GO111MODULE:-}" = off ] || go mod tidy
CGO_ENABLED=0 go build -o "$program" .
chmod +x "$program"
exec_words=(node ../../../../dist/cli/main.js exec)
[ $# -eq 0 ] || exec_words+=(--socket "$1")
"${exec_words[@]}" -- "$program"
