#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_transcript.py - hashes, signed strings, certificates, plans, models and wire messages once
more, by other means: hashlib's BLAKE2b and SHA-256, struct at explicit offsets, protobuf written by
hand, Ed25519 (RFC 8032) and XChaCha20-Poly1305 written out here. It shares no code with common/.

    python3 tests/vectors/make_transcript.py > tests/vectors/transcript.txt      (1 second)
"""
import struct
from hashlib import blake2b, sha256, sha512

U8, U32, U64 = ((lambda v, f=f: struct.pack("<" + f, v)) for f in "BIQ")


def fill(seed, size):
    """The bytes both sides use for keys and digests whose value does not matter."""
    return bytes((seed + 7 * i) & 0xFF for i in range(size))


def h(label, *parts):
    text = label.encode()
    return blake2b(bytes([len(text)]) + text + b"".join(parts), digest_size=32).digest()


def show(name, value):
    print(name, value.hex() if isinstance(value, bytes) else value)


# ---- Ed25519, RFC 8032 --------------------------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    """Twisted Edwards addition in extended coordinates (x, y, z, t)."""
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, k = v - u, d - c, d + c, v + u
    return e * f % P, g * k % P, f * g % P, e * k % P


def times(s, a):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = add(q, a)
        a, s = add(a, a), s >> 1
    return q


def base():
    y = 4 * pow(5, -1, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return x, y, 1, x * y % P


BASE = base()


def compress(a):
    z = pow(a[2], -1, P)
    return (a[1] * z % P | (a[0] * z % P & 1) << 255).to_bytes(32, "little")


def keypair(seed):
    d = sha512(seed).digest()
    a = int.from_bytes(d[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, d[32:], compress(times(a, BASE))


def sign(seed, message):
    a, prefix, public = keypair(seed)
    r = int.from_bytes(sha512(prefix + message).digest(), "little") % L
    big_r = compress(times(r, BASE))
    k = int.from_bytes(sha512(big_r + public + message).digest(), "little") % L
    return big_r + ((r + k * a) % L).to_bytes(32, "little")


# RFC 8032, 7.1, test 1
assert keypair(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc4"
                             "4449c5697b326919703bac031cae7f60"))[2].hex() \
    == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


# ---- XChaCha20-Poly1305 -------------------------------------------------------------------------
def rounds(s):
    s = list(s)

    def quarter(a, b, c, d):
        for x, y, z, r in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            w = s[z] ^ s[x]
            s[z] = (w << r | w >> (32 - r)) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


CONSTANT = struct.unpack("<4I", b"expand 32-byte k")


def chacha_block(key, counter, nonce):
    s = CONSTANT + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(s, rounds(s))))


def xseal(key, nonce, message, ad):
    s = rounds(CONSTANT + struct.unpack("<8I", key) + struct.unpack("<4I", nonce[:16]))
    key, nonce = struct.pack("<8I", *(s[:4] + s[12:])), bytes(4) + nonce[16:]
    stream = b"".join(chacha_block(key, 1 + i, nonce) for i in range(len(message) // 64 + 1))
    box = bytes(a ^ b for a, b in zip(message, stream))
    one_time = chacha_block(key, 0, nonce)
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    pad = lambda b: b + bytes(-len(b) % 16)
    data, acc = pad(ad) + pad(box) + struct.pack("<QQ", len(ad), len(box)), 0
    for i in range(0, len(data), 16):
        acc = (acc + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    tag = (acc + int.from_bytes(one_time[16:32], "little")) % 2**128
    return box + tag.to_bytes(16, "little")


# ---- transcript ---------------------------------------------------------------------------------
def statement(label, *parts):
    text = label.encode()
    return bytes([len(text)]) + text + b"".join(parts)


def transcript():
    print("# fill(seed, size): byte i is (seed + 7 i) mod 256.")
    for name in ("plan", "model", "cert"):
        show("statement_digest." + name, statement(f"tacit/{name}/v1", fill(1, 32)))
    for name in ("join", "join-answer", "poll"):
        show("statement_join." + name, statement(
            f"tacit/{name}/v1", fill(2, 32), fill(3, 32), U32(0x01020304), fill(4, 32),
            fill(5, 32)))
    for name in ("share", "mask", "agree", "reveal", "join-answer", "share-answer", "mask-answer",
                 "agree-answer", "reveal-answer", "poll"):
        show("statement_phase." + name, statement(
            f"tacit/{name}/v1", fill(6, 32), U32(0x01020304), U32(9999), fill(7, 32)))
    show("statement_signature", sign(fill(8, 32), statement("tacit/plan/v1", fill(1, 32))))
    show("public_key", keypair(fill(8, 32))[2])

    cert, pk_c, pk_s, commit, check, sig = (fill(s, z) for s, z in (
        (10, 110), (11, 32), (12, 32), (13, 32), (14, 32), (15, 64)))
    body = "tacit/body/v1"
    show("join_body", h(body, fill(16, 32), pk_c, pk_s, commit, check))
    show("join_leaf", sha256(b"\0" + cert + pk_c + pk_s + commit + check + sig).digest())
    show("share_body", h(body, U32(2), U32(3), fill(20, 56), fill(21, 56),
                         U32(900), fill(22, 56), fill(23, 56)))
    show("reveal_body", h(body, fill(24, 32), U32(2), U32(5), U8(0), fill(25, 32),
                          U32(6), U8(1), fill(26, 32)))
    show("receipt_body", h(body, fill(27, 32), U32(77), fill(28, 32)))
    for phase in range(5):
        show(f"poll_body.{phase}", h(body, U8(phase)))
    show("bitmap_digest", h("tacit/bitmap/v1", U32(13), bytes([0xA5, 0x15])))
    show("sum_digest", h("tacit/sum/v1", U32(77), U8(20), U32(16), fill(29, 40)))
    show("vector_digest", h("tacit/vector/v1", fill(30, 40)))
    for count in (1, 2, 7, 1000, 4294967295):
        digest = h("tacit/cohort", fill(31, 32), U64(2**40 + 5), fill(32, 32))
        show(f"cohort_of.{count}", str(int.from_bytes(digest[:8], "little") % count))
    ids = h("tacit/roster-ids/v1", fill(1, 32), fill(2, 32), fill(3, 32))
    show("roster_ids", ids)
    root = h("tacit/roster/v1", U32(3), ids, fill(33, 32))
    show("roster_root", root)
    session = h("tacit/session/v1", fill(34, 32), fill(35, 32), U32(6), root, U32(3))
    show("session", session)
    show("session2", h("tacit/session2/v1", session, U32(13), bytes([0xA5, 0x15])))
    show("evidence", h("tacit/evidence/v1", root, fill(36, 32), fill(37, 32)))
    share = bytes(b & 0x0F if i % 8 == 7 else b for i, b in enumerate(fill(38, 40)))
    for start, end, kind in ((3, 9, 0), (3, 9, 1), (9, 3, 0)):
        ad = session + U32(start) + U32(end) + U8(kind)
        box = xseal(h("tacit/share/v1", fill(39, 32), ad), bytes(24), share, ad)
        show(f"share_key.{start}.{end}.{kind}", h("tacit/share/v1", fill(39, 32), ad))
        show(f"sealed_share.{start}.{end}.{kind}", box)


# ---- certificate, plan, model -------------------------------------------------------------------
def signed(label, data):
    digest = h(label, data)
    return digest, sign(fill(8, 32), statement(label, digest))


def put(out, at, code, *values):
    struct.pack_into("<" + code, out, at, *values)


def certificate():
    c = bytearray(46)
    put(c, 0, "B", 1)
    c[1:33] = fill(50, 32)
    put(c, 33, "I", 0x0A0B0C0D)
    put(c, 37, "Q", 1_800_000_000)
    put(c, 45, "B", 2)
    out = bytes(c) + signed("tacit/cert/v1", bytes(c))[1]
    show("cert", out)
    show("cert_id", h("tacit/device/v1", out))


def plan():
    p = bytearray(512)
    p[0:8] = b"TACITPL1"
    put(p, 8, "HHHH", 1, 1, 1, 1)                     # version, version_min, suite, aggregation
    put(p, 16, "QQ", 7, 3)                            # round, run
    put(p, 32, "II", 1, 4)                            # sum_index, sum_count
    put(p, 40, "QQ", 1_700_000_000, 1_700_000_300)    # opens_s, join_until_s
    put(p, 56, "HHHH", 60, 120, 61, 90)               # share_s, mask_s, agree_s, reveal_s
    put(p, 64, "II", 100, 200)                        # n_lo, n_hi
    put(p, 72, "HHI", 50, 100, 90)                    # max_colluding, max_dropout, n_min_floor
    put(p, 80, "IBBB", 1, 2, 20, 3)                   # cohort_count, least_class, bits, blocks
    for at, seed in ((120, 61), (152, 62), (184, 63), (216, 64)):
        p[at:at + 32] = fill(seed, 32)                # model, authority, phase key, rotation
    put(p, 248, "IIIIII", 10, 4, 64, 2, 8, 86400)     # items, factor, dims, slice, separation_s
    put(p, 272, "Q", 2**30)                           # mu
    put(p, 280, "10d", 1000.5, 0.6, 0.8, 0.5, 0.6, 0.7, 10.0, 0.5, 8.0, 1e-6)
    show("plan", bytes(p))
    digest, signature = signed("tacit/plan/v1", bytes(p))
    show("plan_digest", digest)
    show("plan_signature", signature)


def model():
    m = bytearray(192)
    m[0:8] = b"TACITMF1"
    put(m, 8, "QQQ", 5, 7, 1_700_000_400)             # number, round, made_s
    put(m, 32, "IIII", 3, 2, 1, 0)                    # M, k, f
    put(m, 48, "5d", 0.5, 0.7, 0.6, 2.0, 0.7)
    m[88:120], m[120:152] = fill(70, 32), fill(71, 32)
    put(m, 152, "d", 123.5)
    m += struct.pack("<3Q", 11, 12, 2**63 + 5)
    m += struct.pack("<3f", -1.5, 0.0, 2.25)
    m += struct.pack("<3f", 3.0, 0.0, 1e6)
    m += struct.pack("<6f", 0.25, -0.5, 1.0, 2.0, -3.0, 1e-20)
    m += struct.pack("<3f", 0.125, -1e6, 7.0)
    m += bytes([0, 1, 0])
    m += bytes(-len(m) % 8)
    digest, signature = signed("tacit/model/v1", bytes(m))
    show("model", bytes(m) + signature)
    show("model_digest", digest)


# ---- wire ---------------------------------------------------------------------------------------
def varint(v):
    out = b""
    while v >= 0x80:
        out, v = out + bytes([v & 0x7F | 0x80]), v >> 7
    return out + bytes([v])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def message(*values):
    return b"".join(field(i + 1, v) for i, v in enumerate(values))


def wire():
    join = message(1, 1, 6, fill(10, 110), fill(11, 32), fill(12, 32), fill(13, 32), fill(14, 32),
                   fill(15, 64))
    sig = fill(80, 64)
    bodies = [message(fill(81, 512), sig), join,
              message(6, 2, 300, fill(82, 32), fill(83, 32), sig),
              message(fill(84, 4096)), message(299, join, fill(85, 448)), message(2, 1200, sig),
              message(9999, fill(86, 56), fill(87, 56)), message(fill(88, 1250), 1200, sig),
              message(2, 4194304, fill(89, 32), sig), message(fill(90, 1250), sig),
              message(2, sig), message(1200, sig), message(9999, sig), message(2, 1200, sig),
              message(9999, 1, fill(91, 32)), message(10000, fill(92, 32), sig),
              message(10, "zu spät".encode(), 1, 1)]
    for tag, inner in enumerate(bodies, 1):
        outer = field(tag, inner)
        show(f"wire.{tag}", varint(len(outer)) + outer)


if __name__ == "__main__":
    transcript()
    certificate()
    plan()
    model()
    wire()
