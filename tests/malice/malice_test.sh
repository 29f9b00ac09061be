#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# malice_test.sh - every attack against the product, where it must be stopped, and against the product with
# one check taken out, where it must win. One line an attack; prints the lines of cmocka that
# tests/run.sh counts. BUILD names the folder of the programs. STRICT_ONLY=1: the product alone, for
# a build under sanitizers (a report of theirs is neither "stopped" nor "won", so it fails).
set -u
build=${BUILD:-build}
strict_only=${STRICT_ONLY:-}
bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
tab=$(printf '\t')

"$build/malice/strict" >"$out" || exit 1
while IFS="$tab" read -r name finding check attack; do
    echo "[ RUN      ] $name"
    stopped=$("$build/malice/strict" "$name" 2>&1)
    strict=$?
    printf '%-16s %s\n' "$finding" "$attack"
    if [ -n "$strict_only" ]; then
        weak=3
        printf '%-16s stopped: %s\n' "" "$stopped"
    else
        "$build/malice/weak-$name" "$name" >"$out.weak" 2>&1
        weak=$?
        printf '%-16s stopped: %s; wins without %s\n' "" "$stopped" "$check"
    fi
    if [ "$strict" = 0 ] && [ "$weak" = 3 ]; then
        echo "[       OK ] $name"
    else
        [ "$strict" = 0 ] || echo "    the product does not stop it (exit $strict)"
        [ "$weak" = 3 ] || { echo "    without $check it does not win either (exit $weak):"
                             sed 's/^/    /' "$out.weak"; }
        echo "[  FAILED  ] $name"
        bad=$((bad + 1))
    fi
    rm -f "$out.weak"
done <"$out"
[ "$bad" = 0 ]
