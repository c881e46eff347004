#!/bin/sh
# Measures Spillgate against git, ripgrep and gitleaks and writes RESULTS.md.
#
#	./compare.sh                the record: takes about an hour and 10 GB of disk
#	./compare.sh -scale 1      a trial on small histories
#
# Further flags are those of cmd/compare; the last of two equal ones counts.
# Programs and histories stay in $SPILLGATE_BENCH_DIR for the next run.
set -eu
cd "$(dirname "$0")"
dir=${SPILLGATE_BENCH_DIR:-${TMPDIR:-/tmp}/spillgate-bench}
mkdir -p "$dir"
go build -o "$dir/compare" ./cmd/compare
exec "$dir/compare" -dir "$dir" -scale 8 -out RESULTS.md "$@"
