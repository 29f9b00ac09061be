#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# arm_test.sh - the ring kernels built for a 64-bit ARM and run there, or in qemu's emulation of one.
# Skips, with a line that says so, where the cross compiler or qemu is missing.
# Prints the lines of cmocka that tests/run.sh counts.
set -u
cd "$(dirname "$0")/../.." || exit 1
name=ring_kernels_on_arm64
echo "[ RUN      ] $name"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
compiler=aarch64-linux-gnu-gcc
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
if [ "$(uname -m)" = aarch64 ]; then
    compiler=${CC:-gcc}
    emulator=""
fi
# Without the C library for it, or without qemu, not even this runs.
if ! { echo 'int main(void) { return 0; }' | "$compiler" -static -x c - -o "$work/probe" &&
    $emulator "$work/probe"; } 2>/dev/null; then
    echo "wants gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user"
    echo "[  SKIPPED ] $name"
    exit 0
fi

if "$compiler" -std=c11 -D_GNU_SOURCE -O3 -Wall -Wextra -Wconversion -Wshadow -Werror -static -I. \
    tests/system/arm_ring.c tests/support/ring_check.c common/ring*.c -o "$work/arm_ring" &&
    $emulator "$work/arm_ring"; then
    echo "[       OK ] $name"
else
    echo "[  FAILED  ] $name"
    exit 1
fi
