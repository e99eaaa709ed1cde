# SPDX-License-Identifier: ISC
"""A reader of revocation lists, written after doc/revocations.md alone.

read_revocations.py CA.pub LIST <JSON: checks all of the list, and that it
says what the JSON of "revocations show --json" says.
"""

import base64
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def take(data, form):
    size = struct.calcsize(">" + form)
    return struct.unpack(">" + form, data[:size]), data[size:]


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def table(data, count, width, key, root):
    """The rows of a table at the front of data, and what is behind it."""
    rows, levels, n = data[:count * width], 0, count
    level, rest = rows, data[count * width:]
    while n > 128:
        blocks = [level[i:i + 128 * width]
                  for i in range(0, len(level), 128 * width)]
        want = b"".join(block[:key] + blake(block) for block in blocks)
        n, width = len(blocks), key + 32
        level, rest = rest[:len(want)], rest[len(want):]
        assert level == want, "hashes"
        levels += 1
    assert blake(level) == root, "root"
    return rows, rest


def line(key):
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + key
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


def main():
    with open(sys.argv[1]) as file:
        signer = base64.b64decode(file.read().split()[1])[-32:]
    with open(sys.argv[2], "rb") as file:
        data = file.read()
    (magic, version, length, by), rest = take(data, "16sII32s")
    assert magic == b"sandbox-revoked\0" and version == 1 and by == signer
    Ed25519PublicKey.from_public_bytes(by).verify(
        data[length:length + 64], data[:length])
    (issued, due, count), rest = take(rest, "QQI")
    cas, serials = [], []
    for _ in range(count):
        (ca,), rest = take(rest, "32s")
        cas.append(ca)
    (count,), rest = take(rest, "I")
    for _ in range(count):
        entry, rest = take(rest, "32sQ32s")
        serials.append(entry)
    (key_count, key_root), rest = take(rest, "Q32s")
    assert rest == data[len(data) - len(rest):] and \
        len(data) - len(rest) == length
    rest = rest[64:]
    said = {"signer": line(by), "issued_at": issued, "next_update": due,
            "cas": [line(ca) for ca in cas], "keys": [], "serials": []}
    for ca, count, root in serials:
        rows, rest = table(rest, count, 16, 8, root)
        ranges = [struct.unpack(">QQ", rows[i:i + 16])
                  for i in range(0, len(rows), 16)]
        said["serials"].append({
            "issuer": line(ca),
            "ranges": [["%016x" % low, "%016x" % high]
                       for low, high in ranges]})
    rows, rest = table(rest, key_count, 32, 32, key_root)
    assert rest == b"", "trailing bytes"
    for i in range(0, len(rows), 32):
        text = base64.b64encode(rows[i:i + 32]).decode().rstrip("=")
        said["keys"].append("SHA256:" + text)
    assert said == json.load(sys.stdin), "it says something else"


main()
