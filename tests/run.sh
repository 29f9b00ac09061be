#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM... - runs cmocka programs and test scripts, shows what failed, and ends with the
# line "N passed, N failed". A program that dies counts as one failure. Exit status 1 on failure.
# Up to JOBS programs run at a time (default 2).
set -u
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
jobs=${JOBS:-2}

run_one() { # program, log
    case "$1" in
        *.sh) sh "$1" >"$2" 2>&1 ;;
        *) "$1" >"$2" 2>&1 ;;
    esac
    echo "exit $?" >>"$2"
}

count=0
for program in "$@"; do
    run_one "$program" "$out/$(basename "$program").log" &
    count=$((count + 1))
    [ $((count % jobs)) = 0 ] && wait
done
wait

passed=0
failed=0
skipped=0
for program in "$@"; do
    name=$(basename "$program")
    log="$out/$name.log"
    ok=$(grep -c '^\[       OK \]' "$log")
    # cmocka names a failed test where it fails and again in its summary.
    bad=$(grep '^\[  FAILED  \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
    skip=$(grep '^\[  SKIPPED \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
    if ! grep -q '^exit 0$' "$log" && [ "$bad" = 0 ]; then bad=1; fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + skip))
    if [ "$bad" -gt 0 ]; then
        echo "---- $name"
        cat "$log"
    else
        printf '%-28s %4d ok%s\n' "$name" "$ok" "$([ "$skip" -gt 0 ] && echo ", $skip skipped")"
    fi
done
if [ "$skipped" -gt 0 ]; then
    echo "$skipped skipped: tests on public data want TACIT_DATA (a folder with ml-100k,"
    echo "ml-1m-implicit, online-retail), the constant-time check wants valgrind, the ARM kernels"
    echo "gcc-aarch64-linux-gnu and qemu-user"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
