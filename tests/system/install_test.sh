#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_test.sh - `make install` as an app developer meets it: programs that see nothing but the
# installed folder and pkg-config, against the shared library, the archive and the ready-made
# platform; the header alone in C11 and, where there is a compiler, in C++.
# Prints the lines of cmocka that tests/run.sh counts. BUILD names the folder of the programs.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$here/$build ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
bad=0
strict="-std=c11 -Wall -Wextra -Wpedantic -Werror"
PKG_CONFIG_PATH=$work/usr/lib/pkgconfig
export PKG_CONFIG_PATH
cd "$work" || exit 1

test_case() { # name: runs the function of that name
    echo "[ RUN      ] $1"
    "$1" >"$work/out" 2>&1
    case $? in
        0) echo "[       OK ] $1" ;;
        77) echo "[  SKIPPED ] $1" ;;
        *)
            sed 's/^/    /' "$work/out" | tail -n 40
            echo "[  FAILED  ] $1"
            bad=$((bad + 1)) ;;
    esac
}

cat >app.c <<'C'
#include <tacit.h>

#include <stdio.h>

int main(void) {
    tacit_options o = {.epsilon = 8, .delta = 1e-5, .period_s = 30 * 86400, .max_items = 1000,
                       .max_factor = 32, .max_history = 100};
    size_t len = tacit_workspace_len(&o);
    printf("%s: %s, item %llu\n", TACIT_VERSION, tacit_status_text(TACIT_OK),
           (unsigned long long)tacit_item_of_key("42"));
    return len == 0 || tacit_item_of_key("42") != 42;
}
C

everything_is_put_in_its_place() {
    # A folder that packagers use: DESTDIR is not part of what the files say of themselves.
    MAKEFLAGS="" make -s -C "$here" BUILD="$build" DESTDIR="$work/package" PREFIX=/opt/tacit install &&
        MAKEFLAGS="" make -s -C "$here" BUILD="$build" PREFIX="$work/usr" install || return 1
    grep -qx 'prefix=/opt/tacit' package/opt/tacit/lib/pkgconfig/tacit.pc &&
        grep -qx "prefix=$work/usr" usr/lib/pkgconfig/tacit.pc &&
        usr/bin/tacit --version && usr/bin/tacitd --help >help.txt &&
        test "$(readlink usr/lib/libtacit.so)" = libtacit.so.0
}

the_shared_library_is_enough() {
    gcc $strict app.c -o shared $(pkg-config --cflags --libs tacit) &&
        readelf -d shared | grep -q 'NEEDED.*libtacit.so.0' &&
        LD_LIBRARY_PATH=usr/lib ./shared
}

the_archive_is_enough() {
    gcc $strict app.c -o static $(pkg-config --cflags tacit) \
        $(pkg-config --static --libs tacit | sed 's/-ltacit/-l:libtacit.a/') &&
        ./static && ! readelf -d static | grep -q libtacit
}

the_first_program_of_the_readme_builds() {
    # As a stranger to the source tree would write it.
    sed 's|"firmware/port/posix.h"|<tacit_posix.h>|' "$here/tests/readme_example.c" >first.c &&
        gcc -std=gnu11 -Wall -Wextra -Werror first.c -o first $(pkg-config --cflags --libs tacit-port) &&
        { ./first; test $? = 2; }
}

each_header_stands_alone() {
    for header in usr/include/*.h; do
        printf '#include <%s>\n' "$(basename "$header")" >alone.c
        gcc $strict -fsyntax-only -Iusr/include alone.c || return 1
        grep -n '#include "\(firmware\|common\|server\)/' "$header" && return 1
    done
    return 0
}

the_header_serves_cplusplus() {
    cxx=$(command -v g++ || command -v clang++) || return 77
    # clang may be there without the C++ headers.
    printf '#include <cstddef>\n' >probe.cc
    "$cxx" -fsyntax-only probe.cc || return 77
    {
        echo '#include <tacit.h>'
        echo 'int main() { tacit *t = nullptr; tacit_close(t);'
        echo 'return tacit_item_of_key("42") != 42; }'
    } >app.cc
    "$cxx" -std=c++17 -Wall -Wextra -Werror app.cc -o plusplus $(pkg-config --cflags --libs tacit) &&
        LD_LIBRARY_PATH=usr/lib ./plusplus
}

for name in everything_is_put_in_its_place the_shared_library_is_enough the_archive_is_enough \
    the_first_program_of_the_readme_builds each_header_stands_alone the_header_serves_cplusplus; do
    test_case "$name"
done
[ "$bad" = 0 ]
