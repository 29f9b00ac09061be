#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh [SIMULATE OPTIONS] - the whole product once: MovieLens 100K from TACIT_DATA when it is
# there, a generated shop otherwise; a fresh server folder; tacitd on TLS; every person's device; a
# private training run at epsilon 8; the better model; recommendations with reasons.
set -eu
build=${BUILD:-build}
data=${TACIT_DATA:-../shared/data}
out=build/demo
[ "$build" = build ] || out=$build/demo

mkdir -p "$out"
if [ -f "$data/ml-100k/u.data" ]; then
    echo "demo: MovieLens 100K from $data/ml-100k"
    set -- --data "$data/ml-100k" "$@"
else
    echo "demo: no MovieLens data in $data, so a shop is generated (set TACIT_DATA to use real data)"
    rm -rf "$out/shop"
    "$build/tacit" generate "$out/shop" --seed 1
    set -- --data "$out/shop" "$@"
fi

# A run of its own each time: keys, store and record in a fresh folder.
rm -rf "$out/server"
"$build/tacit" simulate --server "$out/server" --dropout 0.08 --report "$out/report.json" "$@"
