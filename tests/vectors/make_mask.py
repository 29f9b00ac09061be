#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_mask.py - labels, mask keys, mask words and a ChaCha20 stream, by other means than common/.

hashlib's BLAKE2b and a ChaCha20 written out here instead of libsodium; words are cut out of one
large number instead of being unpacked. The labels are typed in from the protocol's text.

    python3 tests/vectors/make_mask.py > tests/vectors/mask.txt
"""
import struct
from hashlib import blake2b

LABELS = """plan/v1 model/v1 cert/v1 device/v1 cohort roster/v1 roster-ids/v1 session/v1 session2/v1
graph/v1 masksecret/v1 commit-b/v1 pairmask/v1 selfmask/v1 share/v1 body/v1 bitmap/v1 vector/v1
sum/v1 join/v1 mask/v1 agree/v1 reveal/v1 join-answer/v1 share-answer/v1 mask-answer/v1
agree-answer/v1 reveal-answer/v1 poll/v1 evidence/v1 history/v1 ledger/v1 item/v1 catalogue/v1
rotation/v1 stream/v1""".split()
BLOCK_WORDS = 512


def hashed(label, *fields, key=b""):
    text = b"tacit/" + label.encode()
    return blake2b(bytes([len(text)]) + text + b"".join(fields), digest_size=32, key=key).digest()


# ---- ChaCha20, RFC 8439 section 2.3 -------------------------------------------------------------
def chacha20_block(key, nonce, counter):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    start += struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    x = list(start)

    def quarter(a, b, c, d):
        for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xFFFFFFFF
            v = x[r] ^ x[p]
            x[r] = (v << turn | v >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def chacha20(key, nonce, length, counter=0):
    blocks = range(counter, counter + (length + 63) // 64)
    return b"".join(chacha20_block(key, nonce, i) for i in blocks)[:length]


def check_chacha20():
    """RFC 8439, section 2.3.2."""
    out = chacha20_block(bytes(range(32)), bytes.fromhex("000000090000004a00000000"), 1)
    assert out.hex().startswith("10f1e7e4d13b5915500fdd1fa32071c4")


# ---- masks --------------------------------------------------------------------------------------
def pair_key(shared, session2, a, b, bits, dims):
    """a and b are (id, pk)."""
    (id_lo, pk_lo), (id_hi, pk_hi) = sorted((a, b))
    tail = struct.pack("<BI", bits, dims)
    return hashed("pairmask/v1", shared, session2, id_lo, id_hi, pk_lo, pk_hi, tail)


def words(key, bits, first, count):
    """Words [first, first + count) of the mask, from the stream's beginning."""
    n = int.from_bytes(chacha20(key, bytes(12), (first + count) * bits // 8), "little")
    return [n >> (i * bits) & ((1 << bits) - 1) for i in range(first, first + count)]


def example(name, size=32):
    return blake2b(name.encode(), digest_size=size).digest()


def main():
    check_chacha20()
    print("# Made by make_mask.py. Byte strings are hexadecimal; all inputs stand on the line.")
    print("# label: text, BLAKE2b-256 of 'abc' under it, the same keyed with bytes 0..31")
    for name in LABELS:
        keyed = hashed(name, b"abc", key=bytes(range(32)))
        print("label", "tacit/" + name, hashed(name, b"abc").hex(), keyed.hex())
    print("# stream: key, number of the stream, bytes skipped, the 64 bytes that follow")
    for number, skip in ((0, 0), (1, 1000), (0x0123456789ABCDEF, 2040), (2**64 - 1, 70001)):
        key = example(f"stream {number}")
        out = chacha20(key, struct.pack("<QI", number, 0), skip + 64)[skip:]
        print("stream", key.hex(), number, skip, out.hex())
    print("# secret: secret, X25519 secret key of it as s, commitment to it as b")
    for i in range(3):
        s = example(f"secret {i}", 31)
        print("secret", s.hex(), hashed("masksecret/v1", s).hex(), hashed("commit-b/v1", s).hex())
    print("# self: b, session2, id, key")
    for i in range(3):
        b, session2, device = example(f"b {i}", 31), example(f"session2 {i}"), example(f"id {i}")
        key = hashed("selfmask/v1", b, session2, device)
        print("self", b.hex(), session2.hex(), device.hex(), key.hex())
    print("# pair: shared, session2, id a, id b, pk a, pk b, bits, dims, key")
    for i, (bits, dims) in enumerate(((16, 2), (20, 1 << 20), (24, 32768), (32, 65536))):
        shared, session2 = example(f"shared {i}"), example(f"pair session2 {i}")
        a, b = ((example(f"id {end} {i}"), example(f"pk {end} {i}")) for end in "ab")
        fields = [f.hex() for f in (shared, session2, a[0], b[0], a[1], b[1])]
        print("pair", *fields, bits, dims, pair_key(shared, session2, a, b, bits, dims).hex())
    print("# words: key, bits, first word, how many, the words in decimal")
    for bits in (16, 20, 24, 32):
        for first in (0, BLOCK_WORDS, 9 * BLOCK_WORDS):
            key = example(f"mask {bits} {first}")
            print("words", key.hex(), bits, first, 24, *words(key, bits, first, 24))


if __name__ == "__main__":
    main()
