#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plot_growth.py [BENCH.json [OUT.svg]] - draws how a device's CPU time and traffic grow with the cohort.

    make bench BENCH=device.growth && python3 docs/plot_growth.py

Reads the device.growth rows of build/bench.json, fits a + b log2(n) to the time and to the bytes
sent, 32 n + a + b log2(n) to the bytes received (32 n is the list of ids) by least squares, prints
what each fit leaves over and writes docs/growth.svg. The standard library alone."""
import json
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PANEL_W, PANEL_H, LEFT, TOP, GAP = 300, 240, 70, 56, 84
INK, FAINT, CURVE = '#222222', '#dddddd', '#1f6fb2'
# Title, row name, what one unit of the axis is, the part of the model that is not fitted.
PANELS = [
    ('CPU time, ms', 'device.growth.cpu', 1e-3, lambda n: 0.0, 'a + b log2 n'),
    ('received, KB', 'device.growth.down', 1e3, lambda n: 32.0 * n / 1e3, '32 n + a + b log2 n'),
    ('sent, KB', 'device.growth.up', 1e3, lambda n: 0.0, 'a + b log2 n'),
]


def points_of(rows, name, unit):
    found = [(int(re.search(r'\bn=(\d+)', row['params']).group(1)), row['value'] / unit)
             for row in rows if row['name'] == name]
    if len(found) < 3:
        sys.exit(f'{name}: {len(found)} rows, 3 needed; run make bench BENCH=device.growth')
    return sorted(found)


def fit(points, known):
    """Least squares of a + b log2(n) to what `known` leaves of the values."""
    xs = [math.log2(n) for n, _ in points]
    ys = [y - known(n) for n, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    b = (sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) /
         sum((x - mean_x) ** 2 for x in xs))
    return mean_y - b * mean_x, b


def step_of(top):
    """A round step that gives four to eight ticks up to `top`."""
    power = 10 ** math.floor(math.log10(top))
    return next(s * power for s in (0.1, 0.2, 0.5, 1, 2) if top / (s * power) <= 8)


def text(x, y, what, anchor='middle', size=12, colour=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour}">{what}</text>')


def line(x1, y1, x2, y2, colour):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def panel(at, title, points, known, model, a, b):
    left, bottom = LEFT + at * (PANEL_W + GAP), TOP + PANEL_H
    low = math.ceil(math.log2(points[0][0])) - 1
    high = math.ceil(math.log2(points[-1][0]))
    value = lambda n: known(n) + a + b * math.log2(n)
    top = 1.15 * max(max(y for _, y in points), value(points[-1][0]))
    x_of = lambda lg: left + PANEL_W * (lg - low) / (high - low)
    y_of = lambda y: bottom - PANEL_H * y / top
    out = []
    step = step_of(top)
    for i in range(int(top / step) + 1):
        y = y_of(i * step)
        out += [line(left, y, left + PANEL_W, y, FAINT),
                text(left - 8, y + 4, f'{i * step:g}', 'end')]
    for lg in range(low, high + 1):
        out += [line(x_of(lg), bottom, x_of(lg), bottom + 5, INK), text(x_of(lg), bottom + 20, lg)]
    out += [line(left, bottom, left + PANEL_W, bottom, INK), line(left, TOP, left, bottom, INK)]
    first, last = math.log2(points[0][0]), math.log2(points[-1][0])
    curve = ((first + (last - first) * i / 100) for i in range(101))
    path = ' '.join(f'{x_of(lg):.1f},{y_of(value(2 ** lg)):.1f}' for lg in curve)
    out.append(f'<polyline points="{path}" fill="none" stroke="{CURVE}" stroke-width="1.5"/>')
    for n, y in points:
        out.append(f'<circle cx="{x_of(math.log2(n)):.1f}" cy="{y_of(y):.1f}" r="4" fill="{INK}"/>')
    out += [text(left + PANEL_W / 2, TOP - 32, title, size=14),
            text(left + PANEL_W / 2, TOP - 14,
                 f'{model}:  a = {a:.3g}, b = {b:.3g}', colour=CURVE),
            text(left + PANEL_W / 2, bottom + 40, 'log2 n, n devices in the cohort'),
            text(left + PANEL_W - 8, bottom - 10, 'dots measured, line fitted', 'end')]
    return out


def main():
    source = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'build' / 'bench.json'
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / 'docs' / 'growth.svg'
    rows = json.loads(source.read_text())
    width = LEFT + len(PANELS) * (PANEL_W + GAP) - GAP + 24
    height = TOP + PANEL_H + 56
    out = ['<!-- SPDX-License-Identifier: Apache-2.0',
           f'     {target.name} - drawn by docs/plot_growth.py: how a device\'s part grows. -->',
           f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for at, (title, name, unit, known, model) in enumerate(PANELS):
        points = points_of(rows, name, unit)
        a, b = fit(points, known)
        out += panel(at, title, points, known, model, a, b)
        print(f'{title}: {model}, a = {a:.4g}, b = {b:.4g}')
        for n, y in points:
            fitted = known(n) + a + b * math.log2(n)
            print(f'  n = {n:5d}: {y:8.2f}, fit {fitted:8.2f}, left over {y - fitted:+7.2f} '
                  f'({100 * (y - fitted) / y:+.1f} %)')
    target.write_text('\n'.join(out + ['</svg>', '']))


if __name__ == '__main__':
    main()
