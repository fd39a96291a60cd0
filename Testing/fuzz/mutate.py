"""Damaged bytes made from sound ones, by a seeded random number generator: the same seed gives the same damage."""

import gzip
import io
import json
import re

NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
TEXTS = (b"0", b"-1", b"1", b"3", b"255", b"99999", b"4294967296", b"99999999999999999999", b"1e308", b"1e-320", b"nan",
         b"inf", b"-0", b"", b"x", b"\xff\xfe", b"0x10", b"1 2", b"\\\\", b"../../../etc/passwd", b"/dev/zero", b"%d")
NRRD_LINES = (b"data file: /dev/zero", b"data file: ../ct/0001", b"data file: LIST", b"line skip: 99999999999",
              b"byte skip: -1", b"byte skip: 99999999999", b"encoding: raw", b"encoding: gzip", b"encoding: bzip2",
              b"encoding: hex", b"encoding: ascii", b"sizes: 100000 100000 10", b"sizes: 1 1 1", b"sizes: 0 0 0",
              b"sizes: -1 -1 4", b"dimension: 4", b"dimension: 99", b"type: double", b"type: block", b"endian: big",
              b"space: scanner-xyz", b"space directions: none none none", b"space origin: (1e300,nan,0)",
              b"Segment0_Layer:=7", b"Segment0_LabelValue:=-3", b"Segment999999_ID:=x", b"Segment0_Name:=\xff\xfe",
              b"Segment1_LabelValue:=1", b"Segment0_Tags:=TerminologyEntry:~~~^^^|",
              b"kinds: list domain domain domain")


def mutated(data: bytes, rng, header_bytes: int) -> bytes:
    """One to four kinds of damage, most of it in the first `header_bytes`."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        data = rng.choice(_KINDS)(data, rng, header_bytes)
    return data


def mutated_gzip(data: bytes, rng, header_bytes: int) -> bytes:
    """Damage inside a gzip stream, packed again so that its checksum holds; sometimes to the stream itself."""
    chance = rng.random()
    if chance < 0.25:
        return mutated(data, rng, header_bytes)
    if chance < 0.255:
        return gzip_bomb()
    return gzip.compress(mutated(gzip.decompress(data), rng, header_bytes), 1, mtime=0)


def mutated_nrrd(data: bytes, rng, header_bytes: int) -> bytes:
    """Damage to the lines of the header, to the bytes of the file, or a body that inflates without end."""
    chance = rng.random()
    head, gap, body = data.partition(b"\n\n")
    if chance < 0.35:
        return mutated(data, rng, len(head))
    if chance < 0.352:
        return head + gap + gzip_bomb()
    lines = head.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(1, len(lines) + 1)
        action = rng.random()
        if action < 0.3:
            lines[place:place + 1] = []
        elif action < 0.6:
            lines.insert(place, rng.choice(NRRD_LINES))
        elif place < len(lines):
            line = rng.choice(NRRD_LINES)
            same = [n for n, other in enumerate(lines) if other.split(b":")[0] == line.split(b":")[0]]
            lines[same[0] if same else place] = line if rng.random() < 0.6 else _number_text(lines[place], rng, 0)
    return b"\n".join(lines) + gap + body


def mutated_dicom(data: bytes, rng, header_bytes: int) -> bytes:
    """Damage to the bytes, or to single elements of the data set, written again as valid DICOM."""
    if rng.random() < 0.6:
        return mutated(data, rng, header_bytes)
    import pydicom

    tags = pydicom.dcmread(io.BytesIO(data))
    holders = [tags, *(item for element in tags if element.VR == "SQ" for item in element.value)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        holder = rng.choice(holders)
        elements = [element for element in holder if element.tag != 0x7FE00010]
        if not elements:
            continue
        element = rng.choice(elements)
        if rng.random() < 0.3:
            del holder[element.tag]
        else:
            _spoil(element, rng)
    try:
        out = io.BytesIO()
        tags.save_as(out)
        return out.getvalue()
    except Exception:  # what pydicom will not write is damaged by bytes instead
        return mutated(data, rng, header_bytes)


def mutated_json(data: bytes, rng, header_bytes: int) -> bytes:
    """Damage to the text, or one value replaced, removed or wrapped in JSON that stays valid."""
    if rng.random() < 0.4:
        return mutated(data, rng, header_bytes)
    values = json.loads(data)
    holder = values
    for _ in range(rng.choice((1, 2, 2, 3))):
        keys = list(holder)
        if not keys:
            break
        key = rng.choice(keys)
        if isinstance(holder[key], dict) and rng.random() < 0.8:
            holder = holder[key]
        elif rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = rng.choice((None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, "",
                                      "1", "nan", "BF16", "F8_E4M3", "I64",
                                      "x" * 5000, [], {}, [1, 2], {"a": 1}, "\ud800", 2**64, [holder[key]]))
    return json.dumps(values).encode()


def mutated_safetensors(data: bytes, rng, header_bytes: int) -> bytes:
    """Damage to the bytes, or to the JSON header with its length put right."""
    if rng.random() < 0.4:
        return mutated(data, rng, header_bytes)
    length = int.from_bytes(data[:8], "little")
    header = mutated_json(data[8:8 + length], rng, length)
    return len(header).to_bytes(8, "little") + header + data[8 + length:]


def _spoil(element, rng):
    """Another value, set past pydicom's checks."""
    if element.VR == "SQ":
        element._value = type(element._value)([*element.value, *element.value]) if rng.random() < 0.5 else \
            type(element._value)([])
        return
    number = rng.choice((*NUMBERS[:10], -1, 10**7))
    text = rng.choice(TEXTS).decode("latin-1")
    element._value = {"US": number % 65536, "UL": number % 2**32, "SS": -1, "FD": float("nan"), "FL": 1e30,
                      "OB": b"\0", "OW": b"\0\0"}.get(element.VR, text)


def gzip_bomb() -> bytes:
    """About 3 MB that inflate to 3 GB of zeros."""
    member = gzip.compress(bytes(1 << 26), 9, mtime=0)
    return member * 48


def _flip_bits(data, rng, header_bytes):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 32))):
        if data:
            data[_place(data, rng, header_bytes)] ^= 1 << rng.randrange(8)
    return bytes(data)


def _set_bytes(data, rng, header_bytes):
    data = bytearray(data)
    for _ in range(rng.choice((1, 2, 5))):
        if data:
            data[_place(data, rng, header_bytes)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(data)


def _number(data, rng, header_bytes):
    size = rng.choice((2, 4, 8))
    value = (rng.choice(NUMBERS) % 256**size).to_bytes(size, rng.choice(("little", "big")))
    place = _place(data, rng, header_bytes) // 2 * 2 if data else 0
    return data[:place] + value + data[place + size:]


def _number_text(data, rng, header_bytes):
    hits = list(re.finditer(rb"-?\d[\d.]*", data[:max(header_bytes, 256)]))
    if not hits:
        return data
    hit = rng.choice(hits)
    return data[:hit.start()] + rng.choice(TEXTS) + data[hit.end():]


def _cut(data, rng, header_bytes):
    return data[:_place(data, rng, header_bytes)] if data else data


def _delete(data, rng, header_bytes):
    place = _place(data, rng, header_bytes) if data else 0
    return data[:place] + data[place + rng.choice((1, 2, 4, 16, 100, 1000)):]


def _double(data, rng, header_bytes):
    place = _place(data, rng, header_bytes) if data else 0
    return data[:place] + data[place:place + rng.choice((1, 4, 16, 100))] * rng.choice((2, 3, 50)) + data[place:]


def _insert(data, rng, header_bytes):
    place = _place(data, rng, header_bytes) if data else 0
    return data[:place] + rng.randbytes(rng.choice((1, 2, 4, 64))) + data[place:]


def _place(data, rng, header_bytes) -> int:
    return rng.randrange(min(len(data), header_bytes) if rng.random() < 0.8 and header_bytes else len(data))


_KINDS = (_flip_bits, _flip_bits, _set_bytes, _number, _number, _number_text, _number_text, _cut, _delete, _double,
          _insert)
