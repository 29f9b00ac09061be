#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD - the house rules as a test: format, layering, banned calls, sizes, symbols.

Run by `make check`. Prints every finding as file:line: what, and exits 1 when there is one."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / 'build')
ROOMS = ('common', 'firmware', 'server', 'tools', 'tests')
# A room may include these rooms (arrows point only this way).
MAY_INCLUDE = {
    'common': {'common', 'proto'},
    'firmware': {'common', 'firmware'},
    'server': {'common', 'server'},
    'tools': {'common', 'firmware', 'server', 'tools'},
    'tests': {'common', 'firmware', 'server', 'tools', 'tests', 'proto'},
}
# The only files that may name a dependency.
ONLY_IN = {
    'sodium.h': {'common/crypto.c'},
    'pb.h': set(), 'pb_encode.h': {'common/wire.c'}, 'pb_decode.h': {'common/wire.c'},
    'http_parser.h': {'common/http.c'}, 'llhttp.h': {'common/http.c'},
    'lmdb.h': {'firmware/port/store_lmdb.c'},
    'sqlite3.h': {'server/store_sqlite.c'},
    'csv.h': {'server/csv_table.c'},
    'ini.h': None,  # anywhere in server
}
PURE_BANNED_HEADERS = {'stdio.h', 'stdlib.h', 'time.h', 'sys/time.h', 'unistd.h', 'pthread.h',
                       'fcntl.h', 'errno.h', 'signal.h'}
PURE_BANNED_CALLS = ('malloc', 'calloc', 'realloc', 'free', 'printf', 'fprintf', 'snprintf', 'time',
                     'clock', 'gettimeofday', 'clock_gettime', 'rand', 'exit', 'abort')
BANNED_CALLS = ('strcpy', 'strcat', 'sprintf', 'vsprintf', 'gets', 'rand', 'srand', 'alloca', 'strtok',
                'atoi', 'atof', 'strncpy', 'strncat')
MAX_FUNCTION, MAX_FILE, MAX_COLUMNS = 70, 700, 100
GENERATED = {'common/skellam_table.c'}
MADE_HEADERS = {'malice_list.h'}  # stand in the build folder

findings = []


def find(path, line, what):
    findings.append(f'{path}:{line}: {what}')


def strip_comments(text):
    blank = lambda m: re.sub(r'[^\n]', ' ', m.group(0))
    text = re.sub(r'/\*.*?\*/', blank, text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + ' ' * (len(m.group(0)) - 2) + '"', text)
    return re.sub(r'//[^\n]*', blank, text)


def sources():
    out = subprocess.run(['git', 'ls-files', *ROOMS], cwd=ROOT, capture_output=True, text=True,
                         check=True).stdout.split()
    return [p for p in out if p.endswith(('.c', '.h')) and p not in GENERATED]


def check_includes(path, lines):
    room = path.split('/')[0]
    pure = room == 'common' or (room == 'firmware' and not path.startswith('firmware/port/'))
    for number, line in enumerate(lines, 1):
        m = re.match(r'#include "([^"]+)"', line)
        if m:
            if m.group(1) in MADE_HEADERS:
                continue
            to = m.group(1).split('/')[0]
            if to not in MAY_INCLUDE[room]:
                find(path, number, f'{room} must not include {to}')
            if to == 'proto' and path not in ('common/wire.h', 'common/wire.c') and room != 'tests':
                find(path, number, 'only common/wire.* includes proto')
            if pure and m.group(1).startswith('firmware/port/'):
                find(path, number, 'the core must not include a port')
        m = re.match(r'#include <([^>]+)>', line)
        if m and room not in ('tests', 'tools'):
            name = m.group(1)
            if pure and name in PURE_BANNED_HEADERS and path not in ('common/http.c',):
                find(path, number, f'<{name}> in a pure room')
            allowed = ONLY_IN.get(name)
            if name in ONLY_IN and allowed is not None and path not in allowed:
                find(path, number, f'<{name}> belongs to {", ".join(sorted(allowed)) or "no file"}')


def check_calls(path, code):
    room = path.split('/')[0]
    pure = room == 'common' or (room == 'firmware' and not path.startswith('firmware/port/'))
    banned = set(BANNED_CALLS) | (set(PURE_BANNED_CALLS) if pure else set())
    if room == 'tests':
        banned = {'gets', 'sprintf', 'strcat'}
    pattern = re.compile(r'(?<![\w.>])(' + '|'.join(sorted(banned)) + r')\s*\(')
    for number, line in enumerate(code.split('\n'), 1):
        for m in pattern.finditer(line):
            find(path, number, f'banned call {m.group(1)}()')


def check_sizes(path, text, code):
    lines = text.split('\n')
    limit = MAX_FILE * 2 if path.startswith('tests/') else MAX_FILE
    if len(lines) > limit:
        find(path, len(lines), f'file of {len(lines)} lines (limit {limit})')
    start = None
    for number, line in enumerate(code.split('\n'), 1):
        if line.rstrip().endswith(') {') and line[:1] not in (' ', '\t', '#', '}'):
            start = number
        elif line.rstrip().endswith(') {') and start is None and line.startswith(' '):
            start = number if re.match(r'\s{8,}', line) else start
        if line.startswith('}') and start is not None:
            if number - start > MAX_FUNCTION and not path.startswith('tests/'):
                find(path, start, f'function of {number - start} lines (limit {MAX_FUNCTION})')
            start = None
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            find(path, number, f'{len(line)} columns')
    if 'SPDX-License-Identifier: Apache-2.0' not in '\n'.join(lines[:3]):
        find(path, 1, 'no SPDX line')


def check_security_table():
    """docs/SECURITY-CHECKS.md names files, tests and attacks that exist, and every attack."""
    path = 'docs/SECURITY-CHECKS.md'
    listed = set()
    for number, line in enumerate((ROOT / path).read_text().split('\n'), 1):
        if not line.startswith('| ') or line.startswith('| check'):
            continue
        cells = line.strip('| ').split(' | ')
        file, code = None, ''
        for word in re.findall(r'\*\*malice\*\*|[a-z][a-z0-9_]*:?', cells[-1]):
            if word == '**malice**':
                file = 'malice'
            elif word.endswith('_test:'):
                file = word[:-1]
                found = list(ROOT.glob(f'tests/*/{file}.c'))
                code = found[0].read_text() if found else ''
                if not found:
                    find(path, number, f'no test program {file}')
            elif file == 'malice':
                listed.add(word)
                if not (ROOT / f'tests/malice/attacks/{word}.c').exists():
                    find(path, number, f'no attack {word}')
            elif file is not None and '_' in word and f'{word}(' not in code:
                find(path, number, f'{file} has no {word}')
    for attack in sorted((ROOT / 'tests/malice/attacks').glob('*.c')):
        if attack.stem not in listed:
            find(path, 1, f'does not list the attack {attack.stem}')


def check_symbols():
    header = strip_comments((ROOT / 'firmware/tacit.h').read_text() +
                            (ROOT / 'common/status.h').read_text())
    public = set(re.findall(r'TACIT_(?:API|EXPORT) [^;#]*?\b(tacit_\w+)\(', header))
    out = subprocess.run(['nm', '-D', '--defined-only', BUILD / 'libtacit.so.0'],
                         capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1].split('@')[0] for line in out.splitlines() if ' A ' not in line}
    for name in sorted(exported - public):
        find('firmware/libtacit.map', 1, f'exports {name}, which tacit.h does not declare')
    for name in sorted(public - exported):
        find('firmware/libtacit.map', 1, f'does not export {name}')
    for room in ('common', 'firmware'):
        for obj in (BUILD / 'obj' / room).rglob('*.o'):
            out = subprocess.run(['nm', '-g', '--defined-only', obj], capture_output=True, text=True,
                                 check=True).stdout
            for line in out.splitlines():
                name = line.split()[-1]
                if len(line.split()) >= 3 and not name.startswith(('tacit_', '__odr_asan', 'asan.')):
                    find(str(obj.relative_to(BUILD)), 1, f'global symbol {name} lacks tacit_')


def check_format(paths):
    r = subprocess.run(['clang-format', '--dry-run', '--Werror', *paths], cwd=ROOT,
                       capture_output=True, text=True)
    for line in r.stderr.splitlines():
        m = re.match(r'(\S+?):(\d+):\d+: error', line)
        if m:
            find(m.group(1), m.group(2), 'not as clang-format wants it')


def check_readme():
    shown = re.search(r'```c\n(.*?)\n```', (ROOT / 'README.md').read_text(), re.S)
    example = (ROOT / 'tests/readme_example.c').read_text().rstrip('\n')
    if not shown or shown.group(1) != example:
        find('README.md', 1, 'its program is not tests/readme_example.c')


def main():
    paths = sources()
    for path in paths:
        text = (ROOT / path).read_text()
        code = strip_comments(text)
        check_includes(path, text.split('\n'))
        check_calls(path, code)
        check_sizes(path, text, code)
    check_format(paths)
    check_symbols()
    check_security_table()
    check_readme()
    for line in findings:
        print(line)
    print(f'check: {len(paths)} files, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
