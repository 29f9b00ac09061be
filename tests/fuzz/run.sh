#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh TARGET... - runs each fuzz target for SECONDS_EACH from tests/fuzz/corpus/<name>, in a
# scratch copy of the corpus. A crash prints the input as hex and fails.
set -u
status=0
for target in "$@"; do
    name=$(basename "$target" _fuzz)
    scratch=$(mktemp -d)
    mkdir -p "$scratch/corpus"
    cp tests/fuzz/corpus/"$name"/* "$scratch/corpus/" 2>/dev/null
    if "$target" -max_total_time="${SECONDS_EACH:-20}" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$scratch/" "$scratch/corpus" >"$scratch/log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
        printf 'fuzz %-12s %s runs, ok\n' "$name" "$runs"
    else
        status=1
        printf 'fuzz %-12s FAILED\n' "$name"
        tail -n 40 "$scratch/log"
        for f in "$scratch"/crash-* "$scratch"/oom-* "$scratch"/timeout-*; do
            [ -f "$f" ] && od -An -tx1 "$f" | head -n 40
        done
    fi
    rm -rf "$scratch"
done
exit $status
