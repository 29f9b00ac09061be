#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_graph.py - the graph and its thresholds once more, by other means, for common/graph.

Integers of any size instead of doubles, hashlib's BLAKE2b and a ChaCha20 written out here instead
of libsodium, sets instead of bitmaps. It shares no code with common/ and refuses nothing.

    python3 tests/vectors/make_graph.py > tests/vectors/graph.txt      (12 seconds)
"""
import random
import struct
from fractions import Fraction
from hashlib import blake2b
from math import comb

MAX_NEIGHBOURS, MAX_CYCLES = 1200, 600


# ---- thresholds, exactly ------------------------------------------------------------------------
def weights(n, marked, draws):
    """{x: number of ways to draw x marked vertices}."""
    first, last = max(0, draws + marked - n), min(draws, marked)
    w = comb(marked, first) * comb(n - marked, draws - first)
    out = {first: w}
    for x in range(first, last):
        w = w * (marked - x) * (draws - x) // ((x + 1) * (n - marked - draws + x + 1))
        out[x + 1] = w
    return out


def t1(n, colluders, degree):
    """Least tau with Pr[X > tau] <= 2^-81 / n."""
    w = weights(n, colluders, degree)
    total, tail, tau = sum(w.values()), 0, max(w)
    while (tail + w.get(tau, 0)) * n << 81 <= total:
        tail += w[tau]
        tau -= 1
    return tau


def t2(n, survivors, degree):
    """Greatest tau with Pr[X < tau] <= 2^-20 / n."""
    w = weights(n, survivors, degree)
    total, tail, tau = sum(w.values()), 0, min(w)
    while (tail + w.get(tau, 0)) * n << 20 <= total:
        tail += w[tau]
        tau += 1
    return tau


def connected(n, colluders, dropouts, k):
    gone = colluders + dropouts
    if k > gone:
        return True
    return n * (n - k - 1) * comb(n - k, gone - k) << 81 <= 2 * comb(n, gone)


def degree_min(n, colluders, dropouts):
    for k in range(2, min(n - 1, MAX_NEIGHBOURS) + 1, 2):
        if connected(n, colluders, dropouts, k):
            if (k + t1(n, colluders, k)) // 2 + 1 <= t2(n, n - dropouts, k):
                return k
    return 0


def cycles_min(n, degree):
    """Numerators over ((n-1)(n-2))^m; both neighbours of a cycle drawn at once."""
    p, denominator = {0: 1}, 1
    for cycles in range(1, MAX_CYCLES + 1):
        denominator *= (n - 1) * (n - 2)
        after = {}
        for q, w in p.items():
            new = n - 1 - q
            for come, ways in ((2, new * (new - 1)), (1, 2 * new * q), (0, q * (q - 1))):
                if q + come < degree and ways:
                    after[q + come] = after.get(q + come, 0) + w * ways
        p = after
        if sum(p.values()) * n << 20 <= denominator:
            return cycles
    return 0


# ---- derivation ---------------------------------------------------------------------------------
def tagged(label, data):
    return blake2b(bytes([len(label)]) + label + data, digest_size=32).digest()


def stretched_seed(session):
    x = tagged(b"tacit/graph/v1", session)
    for _ in range(16384):
        x = tagged(b"tacit/graph/v1", x)
    return x


def chacha20_words(key, nonce):
    """Endless 32-bit words of RFC 8439's keystream from counter 0."""
    def quarter(s, a, b, c, d):
        for (i, j, k, r) in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[i] = (s[i] + s[j]) & 0xFFFFFFFF
            v = s[k] ^ s[i]
            s[k] = (v << r | v >> (32 - r)) & 0xFFFFFFFF

    counter = 0
    while True:
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574,
                 *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
        s = start[:]
        for _ in range(10):
            for i in range(4):
                quarter(s, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        yield from ((x + y) & 0xFFFFFFFF for x, y in zip(s, start))
        counter += 1


def graph(n, cycles, seed):
    neighbours = [set() for _ in range(n)]
    for c in range(cycles):
        words = chacha20_words(seed, c.to_bytes(12, "little"))
        perm = list(range(n))
        for i in range(n - 1, 0, -1):
            w = next(words)
            while w >= (2**32 // (i + 1)) * (i + 1):
                w = next(words)
            j = w % (i + 1)
            perm[i], perm[j] = perm[j], perm[i]
        for i in range(n):
            a, b = perm[i], perm[(i + 1) % n]
            neighbours[a].add(b)
            neighbours[b].add(a)
    return [sorted(s) for s in neighbours]


def self_check():
    """RFC 8439 2.3.2 (counter 1) and a distribution by Fractions."""
    words = chacha20_words(bytes(range(32)), bytes.fromhex("000000090000004a00000000"))
    block = [next(words) for _ in range(32)][16:]
    assert block[0] == 0xE4E7F110 and block[15] == 0x4E3C50A2
    w = weights(12, 5, 7)
    ways = comb(12, 7)
    assert sum(w.values()) == ways and all(
        Fraction(w[x], ways) == Fraction(comb(5, x) * comb(7, 7 - x), ways) for x in w)


# ---- output -------------------------------------------------------------------------------------
def main():
    self_check()
    rng = random.Random(20261122)
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# Made by tests/vectors/make_graph.py; see README.md.")
    print("# t1 n colluders degree -> tau | t2 n survivors degree -> tau")
    for _ in range(400):
        n = rng.randint(513, 10000)
        degree = rng.randint(2, min(n - 2, MAX_NEIGHBOURS))
        colluders, survivors = n * rng.randint(0, 300) // 1000, n - n * rng.randint(0, 400) // 1000
        print("t1", n, colluders, degree, t1(n, colluders, degree))
        print("t2", n, survivors, degree, t2(n, survivors, degree))
    for _ in range(100):
        n = rng.randint(3, 512)
        degree = rng.randint(1, n - 1)
        survivors = rng.randint(0, n)
        print("t2", n, survivors, degree, t2(n, survivors, degree))
    print("# connected n colluders dropouts degree -> least degree that is connected")
    for _ in range(60):
        n = rng.randint(513, 10000)
        colluders, dropouts = n * rng.randint(0, 200) // 1000, n * rng.randint(0, 300) // 1000
        k = next(k for k in range(n) if connected(n, colluders, dropouts, k))
        print("connected", n, colluders, dropouts, k)
    print("# size n colluders dropouts -> k_min m (0: none)")
    rows = [(n, g, d) for n in (513, 1000, 1001, 2000, 5000, 10000)
            for g, d in ((50, 100), (100, 100), (100, 200))]
    rows += [(1000, 100, 300), (2000, 100, 300), (5000, 100, 300), (10000, 100, 300),
             (777, 20, 50), (1234, 200, 100), (4321, 150, 150), (9999, 200, 200), (600, 200, 250)]
    for n, g, d in rows:
        colluders, dropouts = n * g // 1000, n * d // 1000
        k = degree_min(n, colluders, dropouts)
        print("size", n, colluders, dropouts, k, cycles_min(n, k) if k else 0)
    print("# seed session -> seed | graph session n max_colluding max_dropout "
          "-> digest of all rows")
    print("# row index neighbours... (of the graph line above it)")
    for i, (n, g, d) in enumerate(((513, 50, 100), (514, 100, 100), (1000, 100, 200),
                                   (1001, 50, 100), (4001, 50, 100))):
        session = bytes(range(i, i + 32))
        seed = stretched_seed(session)
        m = cycles_min(n, degree_min(n, n * g // 1000, n * d // 1000))
        rows = graph(n, m, seed)
        packed = b"".join(struct.pack("<%dH" % (len(r) + 1), len(r), *r) for r in rows)
        print("seed", session.hex(), seed.hex())
        print("graph", session.hex(), n, g, d, tagged(b"tacit/graph/v1", packed).hex())
        for index in (0, n // 2, n - 1):
            print("row", index, *rows[index])


main()
