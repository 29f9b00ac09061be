#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""map.py - writes section 5 of ARCHITECTURE.md, a line for each file, from the files' own first
sentences ("name - what it is"). With --check it only says whether the section is up to date and
whether every file introduces itself."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / 'ARCHITECTURE.md'
ROOMS = ('proto', 'common', 'firmware', 'server', 'tools', 'tests', 'docs')
MARK = '## 5. Every file\n'
# Files that cannot introduce themselves in a comment.
SPOKEN_FOR = {
    'proto/tacit.proto': 'every message: who sends it to whom and why',
    'proto/tacit.options': 'bounds of every field, the numbers of common/limits.h',
    'firmware/tacit.pc.in': 'pkg-config file of libtacit, the core',
    'firmware/tacit-port.pc.in': 'pkg-config file of libtacit with the ready-made ports, static',
    'firmware/libtacit.map': 'the only symbols libtacit.so.0 exports',
}


def sentence(path):
    text = (ROOT / path).read_text(errors='replace')[:3000]
    name = re.escape(path.split('/')[-1])
    if path.endswith('.md'):
        m = re.search(r'^# (.+)$', text, re.M)
        return m.group(1) if m else None
    m = re.search(name + r'[^-\n]{0,70}- (.+?)(?:[.:](?:\s|$)|\n\s*[*#]?\s*\n|\*/|""")', text, re.S)
    if not m:
        return None
    said = re.sub(r'\s*\n\s*(?:\*|#|//)?\s*', ' ', m.group(1)).strip()
    said = said.split(' (')[0] if len(said) > 150 else said
    return said if len(said) <= 150 else said[:said.rfind(' ', 0, 147)] + ' ...'


def page_section():
    files = subprocess.run(['git', 'ls-files'], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split()
    lines, silent = [MARK], []
    for room in ROOMS:
        stems = {}
        for path in sorted(p for p in files if p.startswith(room + '/')):
            if '/corpus/' in path or ('/vectors/' in path and path.endswith('.txt')):
                continue
            if path.startswith('tests/malice/weak/'):
                continue  # each is named after its attack
            stems.setdefault(re.sub(r'\.[ch]$', '', path), []).append(path)
        lines.append(f'### {room}/\n\n| file | what |\n|---|---|')
        for stem, paths in stems.items():
            said = None
            for path in sorted(paths, key=lambda p: not p.endswith('.h')):
                said = said or SPOKEN_FOR.get(path) or sentence(path)
            if not said or said.startswith('see '):
                silent.append(paths[0])
                said = '?'
            shown = stem[len(room) + 1:] + ('.[ch]' if len(paths) == 2 else paths[0][len(stem):])
            lines.append(f'| `{shown}` | {said.replace("|", "/")} |')
        lines.append('')
    return '\n'.join(lines), silent


def main():
    section, silent = page_section()
    text = PAGE.read_text()
    wanted = text[:text.index(MARK)] + section
    for path in silent:
        print(f'{path}:1: does not say what it is ("{path.split("/")[-1]} - what")')
    if '--check' in sys.argv:
        if wanted != text:
            print('ARCHITECTURE.md:1: section 5 is out of date: run tools/map.py')
            return 1
        return 1 if silent else 0
    PAGE.write_text(wanted)
    return 0


if __name__ == '__main__':
    sys.exit(main())
