#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bootstrap.sh - from a fresh Debian machine to a running demo or a passed test suite:
#     sh tools/bootstrap.sh demo
#     sh tools/bootstrap.sh test
# Installs by name what is missing (with sudo where the user is not root), then calls make.
# Any other argument is handed to make as it is; `--install-only` stops after the packages.
set -eu
cd "$(dirname "$0")/.."

target=${1:-}
case "$target" in
    "" | -h | --help)
        sed -n '3,8s/^# \{0,1\}//p' "$0"
        exit 0 ;;
esac

if ! command -v apt-get >/dev/null 2>&1; then
    echo "bootstrap: this script knows Debian's apt-get only; see README.md for the package list" >&2
    exit 1
fi

# Debian 13 replaced http-parser by llhttp; the Makefile takes whichever header is there.
parser=libhttp-parser-dev
if [ -r /etc/os-release ]; then
    . /etc/os-release
    case "${VERSION_ID:-12}" in
        12*) ;;
        *) parser=libllhttp-dev ;;
    esac
fi

packages="gcc libc6-dev make pkg-config protobuf-compiler nanopb libnanopb-dev libsodium-dev
libmbedtls-dev libopenblas-dev liblapacke-dev libuv1-dev $parser liblmdb-dev libsqlite3-dev
libjansson-dev libinih-dev libcsv-dev zlib1g-dev libcmocka-dev libsimde-dev"
# What `make check`, `make asan`, `make tsan`, the fuzzers, `make model` (spin) and `make arm` need on
# top.
case "$target" in
    test | demo | all | bench | install | --install-only) ;;
    *) packages="$packages clang clang-format clang-tidy llvm libclang-rt-dev spin
gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;;
esac

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "bootstrap: installing$missing"
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
    if [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; then
        echo "bootstrap: no sudo here; as root, run: sh tools/bootstrap.sh --install-only" >&2
        exit 1
    fi
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
[ "$target" = --install-only ] && exit 0

# Two jobs at least: the tests wait for deadlines now and then.
exec make -j "$(nproc)" "$@"
