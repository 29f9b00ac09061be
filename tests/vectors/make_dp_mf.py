#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_dp_mf.py - vectors of the learning step, made by the reference implementation (numpy).

    python3 tests/vectors/make_dp_mf.py reference_dp_mf.py tests/vectors/dp_mf

Writes two kinds of files into the folder: the reference's own dump of one step (one matrix a file),
and step_*.txt, the server's step under other settings, each a list of `name rows cols` followed by
the rows. Inputs are rounded before they are used, so what is written is exactly what was computed
with. Everything is computed by the reference's functions, except `tau` and the cold items, which it
does not return: these are formed here from the same equations.
"""
import importlib.util
import os
import sys

import numpy as np

SETTINGS = ['k', 'a0', 'lam', 'cls', 'gm', 'logc', 'ridge', 'wn', 'eb_iter', 'fc', 'fs']


def load(path):
    spec = importlib.util.spec_from_file_location('reference', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rounded(x):
    """x to nine significant digits: short to write, exact to read."""
    return np.vectorize(lambda v: float('%.9g' % v))(np.asarray(x, dtype=float))


class Case:
    def __init__(self, folder, name):
        self.out = open(os.path.join(folder, 'step_%s.txt' % name), 'w')

    def put(self, name, x):
        x = np.atleast_2d(np.asarray(x, dtype=float))
        self.out.write('%s %d %d\n' % (name, *x.shape))
        for row in x:
            self.out.write(' '.join('%.12g' % v for v in row) + '\n')
        return x


def population(ref, o, m, n, f, rng):
    """Features, histories and one honest gradient sum of n devices."""
    F = np.c_[rounded(rng.random((m, f - 1)) < 0.3), np.ones(m)]
    hist = [np.sort(rng.choice(m, rng.integers(2, 12), replace=False)) for _ in range(n)]
    w = [ref.dev_weight(len(h), o['h0']) for h in hist]
    y, B = np.zeros(m), np.zeros((m, o['k']))
    mdl = ref.model(ref.init_V(F, np.ones(m), o, rng), rng.standard_normal(m) * 0.05, o)
    for u, h in enumerate(hist):
        y[h] += w[u]
        B[h] += ref.dev_B(h, mdl, w[u], o['loo'])
    return F, y, B


def last_tau(B, c, F, s2, k, o):
    """The variance the reference's denoise ends with."""
    tau = 0.05 / k
    for _ in range(o['eb_iter']):
        v, FF = tau * c**2 + s2, F * c[:, None]
        G = (FF / v[:, None]).T @ FF + o['ridge'] / (tau + 1e-9) * np.eye(F.shape[1])
        D = B - FF @ np.linalg.solve(G, (FF / v[:, None]).T @ B)
        g = (c / v)**2
        tau = max(1e-6, (g * ((D**2).mean(1) - s2)).sum() / (g * c**2).sum())
    return tau


def step(ref, folder, name, o, m=24, n=40, f=6, s_c=0.0, s_b=0.0, aligned=0.0, seed=1):
    rng = np.random.default_rng(seed)
    case, k = Case(folder, name), o['k']
    F, y, B = population(ref, o, m, n, f, rng)
    if aligned > 0:  # every direction nearly the same: there the class share must be guarded
        B = np.abs(y)[:, None] * (aligned * np.eye(k)[0] + 0.05 * rng.standard_normal((m, k)))
    y = rounded(y + s_c * rng.standard_normal(m))
    B = rounded(B + s_b * rng.standard_normal((m, k)))
    case.put('settings', [float(o[s]) for s in SETTINGS])
    case.put('devices', n), case.put('noise', [s_c, s_b])
    case.put('F', F), case.put('y', y), case.put('B', B)

    c, W = ref.counts_from(y, s_c, n, o)
    Fx = ref.reg_feat(F, c, o)
    Bh, Wf = ref.denoise(B, c, Fx, s_b**2, k, o)
    Cg, cls = ref.second_moment(Bh, c, o)
    b, V = ref.item_solve(c, Bh, W, Cg, cls, o)
    for key, x in dict(c=c, W=W, Fx=Fx, Bh=Bh, Wf=Wf, tau=last_tau(B, c, Fx, s_b**2, k, o), Cg=Cg,
                       cls=cls, b=b, V=V, X=ref.extend(V, F, c, o)[:, k:]).items():
        case.put(key, x)

    # Far above the guard, where the part all items share is no longer positive definite.
    wild = 2.5
    b, V = ref.item_solve(c, Bh, W, Cg, wild, o)
    case.put('wild_cls', wild), case.put('wild_b', b), case.put('wild_V', V)

    cold = np.array([0, 3, m - 1])
    med = np.full(len(cold), np.median(c))
    Fc = Fx[cold].copy()
    if o['logc']:
        x = np.log(med) - np.average(np.log(c), weights=c)
        Fc[:, -2], Fc[:, -1] = x, x * x
    # item_solve of the cold items alone; cls 0 leaves nothing that depends on the other items
    b, V = ref.item_solve(med, med[:, None] * (Fc @ Wf), W, Cg, 0.0, o)
    case.put('cold', cold), case.put('cold_b', b), case.put('cold_V', V)
    if s_b > 0:
        case.put('signal', ((B**2).sum(1) - k * s_b**2).sum() / (s_b**2 * np.sqrt(2 * m * k)))


def content(ref, folder, o, m=24, n=40, f=6, s_c=0.3):
    rng = np.random.default_rng(9)
    case = Case(folder, 'content')
    F, y, _ = population(ref, dict(o, k=4), m, n, f, rng)
    y = rounded(y + s_c * rng.standard_normal(m))
    c, W = ref.counts_from(y, s_c, n, o)
    case.put('settings', [float(o[s]) if s != 'k' else 0.0 for s in SETTINGS])
    case.put('devices', n), case.put('noise', [s_c, 0.0]), case.put('F', F), case.put('y', y)
    case.put('c', c), case.put('W', W), case.put('b', c / (c + o['a0'] * W))
    case.put('X', ref.extend(np.zeros((m, 0)), F, c, o))


def start(ref, folder, name, m, f, k):
    rng = np.random.default_rng(5)
    F = np.c_[rounded(rng.random((m, f - 1)) * (np.arange(f - 1) + 1)), np.ones(m)]
    case = Case(folder, name)
    case.put('F', F), case.put('V', ref.init_V(F, np.ones(m), dict(ref.DEFAULT, k=k), rng))


def main():
    ref, folder = load(sys.argv[1]), sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    ref.dump(folder)
    hi, lo = dict(ref.DEFAULT, k=4), dict(ref.LOW, k=4)
    central = dict(ref.DEFAULT, k=6, a0=1.0, lam=3e-4, cls=0.5, gm=1.0, ridge=0.1, fc=0.3, h0=50)
    step(ref, folder, 'hi_exact', hi)
    step(ref, folder, 'hi_noisy', hi, s_c=0.05, s_b=0.05, seed=2)
    step(ref, folder, 'hi_drowned', hi, s_c=1.5, s_b=1.5, seed=3)
    step(ref, folder, 'lo_noisy', lo, s_c=0.2, s_b=0.1, seed=4)
    step(ref, folder, 'lo_drowned', lo, s_c=2.0, s_b=0.8, seed=5)
    step(ref, folder, 'central', central, m=40, n=80, seed=6)
    step(ref, folder, 'aligned', hi, s_c=0.02, s_b=0.02, aligned=1.0, seed=7)
    step(ref, folder, 'aligned_less', lo, s_c=0.02, s_b=0.02, aligned=0.92, seed=8)
    content(ref, folder, ref.CONTENT)
    start(ref, folder, 'start', 30, 7, 4)
    start(ref, folder, 'start_padded', 30, 4, 7)


if __name__ == '__main__':
    main()
