#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_merkle.py - roots and audit paths by the recursive definitions of RFC 9162, section 2.1.

common/merkle works level by level; here a tree is split at the largest power of two below its size,
as the RFC writes it. The eight leaves and their roots are those that Certificate Transparency
implementations have tested against since RFC 6962.

    python3 tests/vectors/make_merkle.py > tests/vectors/merkle.txt
"""
from hashlib import sha256

LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
PUBLISHED = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def split(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def root(d):
    if len(d) == 1:
        return sha256(b"\0" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\1" + root(d[:k]) + root(d[k:])).digest()


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [root(d[k:])] if m < k else path(m - k, d[k:]) + [root(d[:k])]


def main():
    print("# Made by make_merkle.py. leaf: number, data ('-' when empty)")
    for i, leaf in enumerate(LEAVES):
        print("leaf", i, leaf.hex() or "-")
    print("# root: size, hash. path: size, index, length, hashes")
    for n in range(1, len(LEAVES) + 1):
        assert root(LEAVES[:n]).hex() == PUBLISHED[n]
        print("root", n, root(LEAVES[:n]).hex())
        for m in range(n):
            p = path(m, LEAVES[:n])
            print("path", n, m, len(p), *(h.hex() for h in p))
    print("# large: size, index, root, length, path; leaf i is i in two bytes, lowest first")
    for n, m in ((9, 8), (33, 32), (40, 17), (1000, 999), (1025, 1024), (4097, 0), (10000, 9999),
                 (10000, 5000)):
        d = [i.to_bytes(2, "little") for i in range(n)]
        p = path(m, d)
        print("large", n, m, root(d).hex(), len(p), *(h.hex() for h in p))


if __name__ == "__main__":
    main()
