# SPDX-License-Identifier: GPL-2.0-or-later
"""One DHCPDISCOVER as network boot's firmware sends it, from eth0 of this network namespace; the OFFER's fields as JSON.
pxe.py ARCH CLASS [USERCLASS]; ARCH '-': none. Or pxe.py bootp."""
import json
import socket
import struct
import sys
import time


def option(code, value):
    return bytes([code, len(value)]) + value


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def request(mac, options):
    bootp = struct.pack("!4B I HH 4s4s4s4s 16s 64s 128s", 1, 1, 6, 0, 0x12345678, 0, 0x8000, *(bytes(4),) * 4, mac, b"", b"")
    payload = (bootp + b"\x63\x82\x53\x63" + options + b"\xff").ljust(300, b"\0")
    udp = struct.pack("!4H", 68, 67, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def parse(frame):
    if len(frame) < 282 or frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[34:38] != b"\0\x43\0\x44":
        return None
    bootp, at, options = frame[42:], 240, {}
    while at < len(bootp) and bootp[at] != 255:
        if bootp[at] == 0:
            at += 1
            continue
        options[bootp[at]] = bootp[at + 2:at + 2 + bootp[at + 1]]
        at += 2 + bootp[at + 1]
    return {"address": socket.inet_ntoa(bootp[16:20]), "server": socket.inet_ntoa(bootp[20:24]), "file": bootp[108:236].split(b"\0")[0].decode(),
            "options": {k: v.hex() for k, v in options.items()}}


def main():
    words = sys.argv[1:]
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    s.bind(("eth0", 0))
    mac = s.getsockname()[4]
    options = b""
    if words != ["bootp"]:
        options = option(53, b"\1") + option(55, bytes([1, 3, 43, 60, 66, 67, 97])) + option(97, b"\0" + b"0123456789abcdef")
        options += option(60, words[1].encode()) + (option(93, struct.pack("!H", int(words[0]))) if words[0] != "-" else b"")
        options += option(77, words[2].encode()) if len(words) > 2 else b""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        s.send(request(mac, options))
        s.settimeout(1)
        try:
            while True:
                got = parse(s.recv(2048))
                if got:
                    print(json.dumps(got))
                    return
        except TimeoutError:
            continue
    print("null")


main()
