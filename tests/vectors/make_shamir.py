#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_shamir.py - shares and Lagrange coefficients mod 2^61 - 1 with whole numbers of any size.

Polynomials are summed power by power instead of by Horner's rule, and inverses come from pow(). The
coefficients are read from the ChaCha20 of make_mask.py as common/shamir.h says: for each degree from
the highest to 1, for each limb, 8 bytes little-endian cut to 61 bits.

    python3 tests/vectors/make_shamir.py > tests/vectors/shamir.txt
"""
import struct
import sys

sys.dont_write_bytecode = True
from make_mask import chacha20, example  # noqa: E402

P = 2**61 - 1
SPANS = (0, 7), (7, 14), (14, 21), (21, 28), (28, 31)


def deal(secret, points, threshold, key):
    stream = chacha20(key, bytes(12), 40 * (threshold - 1))
    drawn = [w & P for w in struct.unpack(f"<{5 * (threshold - 1)}Q", stream)]
    assert P not in drawn
    limbs = [int.from_bytes(secret[a:b], "little") for a, b in SPANS]
    polynomials = [[limb] + drawn[i::5][::-1] for i, limb in enumerate(limbs)]
    return [[sum(c * pow(x, d, P) for d, c in enumerate(f)) % P for f in polynomials]
            for x in points]


def lagrange(points):
    out = []
    for i, x in enumerate(points):
        c = 1
        for j, other in enumerate(points):
            if j != i:
                c = c * other * pow(other - x, -1, P) % P
        out.append(c)
    return out


def main():
    print("# Made by make_shamir.py. deal: key of the stream (number 0), secret, threshold, count,")
    print("# then for each share its point and 40 bytes")
    cases = [(1, [1, 2]), (2, [1, 2, 3]), (3, [10000, 1, 5000, 77]), (7, list(range(3, 90, 8))),
             (40, list(range(9999, 9900, -2)))]
    for n, (threshold, points) in enumerate(cases):
        key, secret = example(f"deal {n}"), example(f"dealt secret {n}", 31)
        shares = deal(secret, points, threshold, key)
        fields = [f"{x} {struct.pack('<5Q', *y).hex()}" for x, y in zip(points, shares)]
        print("deal", key.hex(), secret.hex(), threshold, len(points), *fields)
    print("# lagrange: count, then for each point the point and its coefficient in decimal")
    for _, points in cases + [(0, [1]), (0, [65535, 1, 65534, 2]), (0, list(range(1, 301)))]:
        pairs = zip(points, lagrange(points))
        print("lagrange", len(points), *(f"{x} {c}" for x, c in pairs))


if __name__ == "__main__":
    main()
