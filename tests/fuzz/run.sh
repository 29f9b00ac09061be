#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh TARGET... - runs each fuzz target for SECONDS_EACH from tests/fuzz/corpus/<name>, JOBS at a
# time, each in a scratch copy of the corpus. A crash prints the input as hex and fails; what a
# target has to say is printed in one piece when it ends.
set -u

report() { # target scratch
    name=$(basename "$1" _fuzz)
    if [ ! -d "tests/fuzz/corpus/$name" ]; then
        printf 'fuzz %-12s FAILED: no corpus\n' "$name"
        return 1
    fi
    mkdir "$2/corpus"
    cp "tests/fuzz/corpus/$name"/* "$2/corpus/"
    if "$1" -max_total_time="${SECONDS_EACH:-20}" -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$2/" "$2/corpus" >"$2/log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$2/log")
        printf 'fuzz %-12s %s runs, ok\n' "$name" "$runs"
        return 0
    fi
    printf 'fuzz %-12s FAILED\n' "$name"
    grep -v '^#[0-9]' "$2/log" | tail -n 60
    for f in "$2"/crash-* "$2"/oom-* "$2"/timeout-* "$2"/leak-*; do
        [ -f "$f" ] && od -An -tx1 "$f" | head -n 40
    done
    return 1
}

if [ "$1" = --one ]; then
    scratch=$(mktemp -d)
    report "$2" "$scratch" >"$scratch/report"
    status=$?
    cat "$scratch/report"
    rm -rf "$scratch"
    exit $status
fi
printf '%s\n' "$@" | xargs -n 1 -P "${JOBS:-2}" sh "$0" --one || exit 1
