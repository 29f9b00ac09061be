#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# malice_test.sh - every attack against the product, where it must be stopped, and against the product with
# one check taken out, where it must win. One line an attack; prints the lines of cmocka that
# tests/run.sh counts. BUILD names the folder of the programs.
set -u
build=${BUILD:-build}
bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
tab=$(printf '\t')

"$build/malice/strict" >"$out" || exit 1
while IFS="$tab" read -r name finding check attack; do
    echo "[ RUN      ] $name"
    stopped=$("$build/malice/strict" "$name" 2>&1)
    strict=$?
    "$build/malice/weak-$name" "$name" >"$out.weak" 2>&1
    weak=$?
    printf '%-16s %s\n' "$finding" "$attack"
    printf '%-16s stopped: %s; wins without %s\n' "" "$stopped" "$check"
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
