"""Comments of Ogg files (Opus, Vorbis) and FLAC: written anew, page by page, without touching the sound."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

_POLYNOMIAL = 0x04C11DB7
HEADERS = {b"OpusHead": (2, b"OpusTags"), b"\x01vorbis": (3, b"\x03vorbis")}
MAX_SEGMENTS = 255


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (_POLYNOMIAL if value & 0x8000_0000 else 0)
        table.append(value & 0xFFFF_FFFF)
    return tuple(table)


_TABLE = _crc_table()


def _crc(data: bytes) -> int:
    value = 0
    for byte in data:
        value = ((value << 8) & 0xFFFF_FFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value


@dataclass(frozen=True)
class _Page:
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    body: bytes

    def encoded(self) -> bytes:
        head = struct.pack(
            "<4sBBqIIIB", b"OggS", 0, self.flags, self.granule, self.serial, self.number, 0, len(self.lacing)
        )
        whole = bytearray(head + self.lacing + self.body)
        struct.pack_into("<I", whole, 22, _crc(bytes(whole)))
        return bytes(whole)


def with_comment(comments: bytes, key: str, value: str) -> bytes:
    """Vorbis comments (vendor, list) with one of a key, in the place of any that are there.

    Raises:
        ValueError: they are cut short.
    """
    vendor, entries, rest = _split(comments)
    name = key.upper().encode() + b"="
    kept = [entry for entry in entries if not entry.upper().startswith(name)]
    kept.append(name + value.encode())
    body = b"".join(struct.pack("<I", len(entry)) + entry for entry in kept)
    return struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(kept)) + body + rest


def comments_of(comments: bytes, key: str) -> list[bytes]:
    """Values of a key among Vorbis comments.

    Raises:
        ValueError: they are cut short.
    """
    name = key.upper().encode() + b"="
    return [entry[len(name) :] for entry in _split(comments)[1] if entry.upper().startswith(name)]


def _split(comments: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Vendor, entries, and what stands behind them."""
    vendor_size, at = _number(comments, 0), 4
    vendor, at = comments[at : at + vendor_size], at + vendor_size
    count, at = _number(comments, at), at + 4
    entries = []
    for _ in range(count):
        size, at = _number(comments, at), at + 4
        if at + size > len(comments):
            raise ValueError("a comment is cut short")
        entries.append(comments[at : at + size])
        at += size
    return vendor, entries, comments[at:]


def with_ogg_comment(content: bytes, key: str, value: str) -> bytes:
    """Put a comment into an Ogg file of one stream.

    Raises:
        ValueError: it is damaged, or neither Opus nor Vorbis.
    """
    first, packets, magic, rest = _headers(content)
    packets[1] = magic + with_comment(packets[1][len(magic) :], key, value)
    fresh = [first, *_paged(packets[1:], first.serial)]
    fresh += [replace(page, number=len(fresh) + number) for number, page in enumerate(rest)]
    return b"".join(page.encoded() for page in fresh)


def ogg_comments(content: bytes) -> bytes:
    """Vorbis comments of an Ogg file.

    Raises:
        ValueError: it is damaged, or neither Opus nor Vorbis.
    """
    _, packets, magic, _ = _headers(content)
    return packets[1][len(magic) :]


def _headers(content: bytes) -> tuple[_Page, list[bytes], bytes, list[_Page]]:
    """First page, header packets, what the comments begin with, and the pages of sound."""
    pages = list(_pages(content))
    start = next((HEADERS[name] for name in HEADERS if pages and pages[0].body.startswith(name)), None)
    if start is None:
        raise ValueError("neither Opus nor Vorbis")
    n_headers, magic = start
    packets, rest = _header_packets(pages, n_headers)
    if not packets[1].startswith(magic):
        raise ValueError("its comments are not where they should be")
    return pages[0], packets, magic, rest


def _header_packets(pages: list[_Page], count: int) -> tuple[list[bytes], list[_Page]]:
    """The header packets, which end with a page, and the pages of sound."""
    packets: list[bytes] = []
    open_packet = b""
    for number, page in enumerate(pages):
        at = 0
        for size in page.lacing:
            open_packet += page.body[at : at + size]
            at += size
            if size < 255:
                packets.append(open_packet)
                open_packet = b""
        if len(packets) >= count:
            if len(packets) > count or open_packet:
                raise ValueError("sound begins on a page of the headers")
            return packets, pages[number + 1 :]
    raise ValueError("the headers are cut short")


def _paged(packets: list[bytes], serial: int) -> Iterator[_Page]:
    """Pages of the header packets after the first, which has page 0 to itself."""
    lacing, body, number, continued = b"", b"", 1, False
    for packet in packets:
        sizes = [255] * (len(packet) // 255) + [len(packet) % 255]
        at = 0
        for size in sizes:
            if len(lacing) == MAX_SEGMENTS:
                yield _Page(int(continued), 0, serial, number, lacing, body)
                continued, number, lacing, body = at > 0, number + 1, b"", b""
            lacing += bytes([size])
            body += packet[at : at + size]
            at += size
    yield _Page(int(continued), 0, serial, number, lacing, body)


def _pages(content: bytes) -> Iterator[_Page]:
    at, serial = 0, None
    while at < len(content):
        if content[at : at + 4] != b"OggS" or at + 27 > len(content):
            raise ValueError(f"no page at byte {at}")
        _, _, flags, granule, own, number, _, n = struct.unpack_from("<4sBBqIIIB", content, at)
        lacing = content[at + 27 : at + 27 + n]
        body = content[at + 27 + n : at + 27 + n + sum(lacing)]
        if len(lacing) < n or len(body) < sum(lacing):
            raise ValueError("the last page is cut short")
        if serial not in (None, own):
            raise ValueError("it holds several streams")
        serial = own
        yield _Page(flags, granule, own, number, lacing, body)
        at += 27 + n + len(body)


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise ValueError("a length is cut short")
    return int(struct.unpack_from("<I", data, at)[0])
