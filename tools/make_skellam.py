#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_skellam.py - makes common/skellam_table.c: cumulative words of the symmetric Skellam distribution, proved.

    python3 tools/make_skellam.py > common/skellam_table.c
    python3 tools/make_skellam.py --check common/skellam_table.c

X = Poisson(v/2) - Poisson(v/2) has P(X = k) = e^-v I_|k|(v). Word k of the table of variance v is
w_k = floor(2^127 P(|X| <= k)); the last word, index K, is 2^127 - 1 (all ones) and means "the
rest": it is never compared. The sampler draws 127 uniform bits u, takes as magnitude the number of
words before the last with w_k <= u, and a uniform sign; so P(magnitude = k) is exactly
(w_k - w_(k-1)) / 2^127 for k < K, and 1 - w_(K-1) / 2^127 for K.

Everything here is integer arithmetic with directed rounding; no floating point is used.
  * r_k = I_(k+1) / I_k obeys r_(k-1) = 1 / (2k/v + r_k) and 0 < r_k < v / (2(k+1)). Starting
    from that enclosure at a large k, the recurrence gives an enclosure of every r_k.
  * q_k = r_0 .. r_(k-1) = I_k / I_0; Z = 1 + 2 sum q_k, the part beyond the last term being at
    most a geometric series; P(X = k) = q_k / Z.
Certificate: the total variation between the sampler and the true distribution is at most
sum_k e_k + P(|X| > K), e_k >= |w_k / 2^127 - P(|X| <= k)|. It is computed as an upper bound for
every table, must be below 2^-98 and is printed to stderr and into the table's comment."""
import sys
from math import isqrt

# Chosen by annealing under 300 KB: every variance in 50..20000 is reached within 1 % above by at
# most three draws (2.0 on average over log-variance). tests/unit/skellam_test.c checks it.
VARIANCES = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 23, 29, 36, 44, 51, 55, 67, 70, 77, 83,
    94, 103, 106, 108, 115, 136, 153, 182, 202, 234, 258, 269, 324, 397, 440, 540, 657, 780, 895,
    1006, 1214, 1332, 1609, 1922, 2202, 2756, 3353, 4106, 4600, 7480, 9742, 15804, 65536]
WORD_BITS = 127
TV_BITS = 98          # certified: total variation of one draw <= 2^-98
TAIL_BITS = 99        # the mass given to "the rest"
P = 320               # fixed-point bits of the enclosures
ONE = 1 << P


def ceil_div(a, b):
    return -(-a // b)


def ratios(v, last):
    """Enclosures [lo, hi] of r_k 2^P for k = 0..last, started far above `last`."""
    start = 2 * last + 200
    lo, hi = 0, ceil_div(v * ONE, 2 * (start + 1))
    out = [None] * (last + 1)
    for k in range(start, 0, -1):  # from r_k to r_(k-1) = v / (2k + v r_k)
        lo, hi = (v * ONE * ONE // (2 * k * ONE + v * hi),
                  ceil_div(v * ONE * ONE, 2 * k * ONE + v * lo))
        if k - 1 <= last:
            out[k - 1] = (lo, hi)
    return out


def enclosures(v):
    """Enclosures of P(X = k) 2^P for k = 0..last, and an upper bound of P(|X| > last) 2^P."""
    last = 15 * isqrt(v) + 60
    r = ratios(v, last)
    q = [(ONE, ONE)]
    for k in range(last):
        q.append((q[-1][0] * r[k][0] >> P, ceil_div(q[-1][1] * r[k][1], ONE)))
    # sum_{k > last} q_k <= q_last * r / (1 - r), r = hi of r_last (the ratios decrease in k)
    rest = ceil_div(q[-1][1] * r[last][1], ONE - r[last][1])
    z_lo = ONE + 2 * sum(x[0] for x in q[1:])
    z_hi = ONE + 2 * (sum(x[1] for x in q[1:]) + rest)
    p = [(lo * ONE // z_hi, ceil_div(hi * ONE, z_lo)) for lo, hi in q]
    return p, ceil_div(2 * rest * ONE, z_lo)


def table(v):
    """(words, upper bound of the total variation as a numerator over 2^P)."""
    p, rest = enclosures(v)
    tails = [0] * len(p)  # upper bounds of P(|X| > k)
    tail = rest
    for k in range(len(p) - 1, -1, -1):
        tails[k] = tail
        tail += 2 * p[k][1]
    lo = hi = 0
    words, error = [], 0
    for k, (p_lo, p_hi) in enumerate(p):
        lo += p_lo if k == 0 else 2 * p_lo
        hi += p_hi if k == 0 else 2 * p_hi
        if tails[k] << TAIL_BITS <= ONE:  # k is the last magnitude
            words.append((1 << WORD_BITS) - 1)
            return words, error + tails[k]
        w = lo >> (P - WORD_BITS)
        words.append(w)
        error += hi - (w << (P - WORD_BITS))  # >= |w / 2^127 - F(k)|, since w 2^-127 <= F(k) <= hi
    raise SystemExit(f"variance {v}: support too short")


def log2_ceil_hundredths(numerator):
    """Smallest integer h with numerator / 2^P <= 2^(h/100), exactly (numerator^100 <= 2^...)."""
    return (numerator ** 100 - 1).bit_length() - 100 * P


def generate():
    """The C text; the certificates go to stderr and into the comments."""
    out = ["""\
/* SPDX-License-Identifier: Apache-2.0
 * skellam_table.c - made by tools/make_skellam.py, do not edit: run the tool again.
 * Word k of a table is floor(2^127 P(|X| <= k)) for the symmetric Skellam distribution of the
 * table's variance, {high 64 bits, low 64 bits}; the last word is 2^127 - 1. The total variation
 * bounds beside the tables were proved with interval arithmetic in integers by the tool. */
#include "common/skellam_table.h"

/* clang-format off */
const tacit_skellam_word tacit_skellam_words[TACIT_SKELLAM_WORD_COUNT] = {"""]
    index, offset = [], 0
    for v in VARIANCES:
        words, error = table(v)
        assert words == sorted(set(words)) and words[0] > 0, v
        assert error << TV_BITS <= ONE, (v, "total variation above the promise")
        bound = log2_ceil_hundredths(error) / 100
        note = f"variance {v}: {len(words)} words, total variation <= 2^{bound:.2f}"
        print(note, file=sys.stderr)
        out.append(f"/* {note} */")
        cells = [f"{{{w >> 64:#x},{w & (2**64 - 1):#x}}}," for w in words]
        out += ["".join(cells[i:i + 2]) for i in range(0, len(cells), 2)]
        steps = (len(words) - 1).bit_length()
        index.append(f"    {{{v}, {offset}, {len(words)}, {steps}}},")
        offset += len(words)
    print(f"{len(VARIANCES)} tables, {offset} words, {offset * 16} bytes", file=sys.stderr)
    out += ["};", "",
            "const tacit_skellam_table tacit_skellam_tables[TACIT_SKELLAM_TABLE_COUNT] = {",
            *index, "};", "/* clang-format on */", ""]
    return "\n".join(out), offset


def main():
    text, _ = generate()
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="utf-8") as f:
            if f.read() != text:
                raise SystemExit(f"{sys.argv[2]} differs from what the tool makes")
        print("identical", file=sys.stderr)
    elif len(sys.argv) == 1:
        sys.stdout.write(text)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
