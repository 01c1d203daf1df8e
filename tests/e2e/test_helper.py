# SPDX-License-Identifier: GPL-2.0-or-later
"""netd-bridge-helper beside qemu-bridge-helper: the same words in, the same bytes, descriptors and status out."""
import array
import fcntl
import os
import socket
import struct
import subprocess

from lib import HELPER, check, contains, links, main, run, same, test

QEMU_HELPER = "/usr/lib/qemu/qemu-bridge-helper"
TUNGETIFF = 0x800454D2
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x4000, 0x0100


def call(helper, *words, env=None):
    """Return: exit status, bytes, descriptors, what it said. Order of words as libvirt and QEMU have it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = subprocess.Popen([helper, *[w.replace("FD", str(its.fileno())) for w in words]], pass_fds=[its.fileno()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    its.close()
    ours.settimeout(20)
    fds = array.array("i")
    data, ancillary, _, _ = ours.recvmsg(64, socket.CMSG_SPACE(16 * fds.itemsize))
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
    more = ours.recv(64) if data else b""
    _, said = process.communicate(timeout=20)
    return process.returncode, data + more, list(fds), said


def tap_of(fd):
    """Name and flags of the TAP behind a descriptor."""
    ifr = fcntl.ioctl(fd, TUNGETIFF, struct.pack("16sh22x", b"", 0))
    name, flags = struct.unpack("16sh22x", ifr)
    return name.rstrip(b"\0").decode(), flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE)


def both(host, netd, words):
    """The words to either helper, the bridge's name theirs. Yields (result, expected master)."""
    yield call(HELPER, *[w.replace("BR", "default") for w in words], env={"NETD_SOCKET": netd.socket}), "virbr0"
    yield call(QEMU_HELPER, *[w.replace("BR", "reference") for w in words]), "reference"


def prepare(host):
    check(os.access(QEMU_HELPER, os.X_OK), f"{QEMU_HELPER} is missing: package qemu-system-common")
    netd = host.netd_default()
    # This test's own mount namespace and its own /run; /etc/qemu is not there on every machine.
    etc = "/run/etc"
    run("cp", "-a", "/etc", etc)
    os.makedirs(os.path.join(etc, "qemu"), exist_ok=True)
    run("mount", "--bind", etc, "/etc")
    with open("/etc/qemu/bridge.conf", "w", encoding="ascii") as file:
        file.write("allow reference\n")
    run("ip", "link", "add", "reference", "type", "bridge")
    return netd


@test
def what_both_do(host):
    netd = prepare(host)
    for words in (["--use-vnet", "--fd=FD", "--br=BR"], ["--use-vnet", "--br=BR", "--fd=FD"], ["--br=BR", "--fd=FD"]):
        seen = []
        for (status, data, fds, said), master in both(host, netd, words):
            same((status, data, len(fds)), (0, b"\0", 1), f"{words}: {said}")
            name, flags = tap_of(fds[0])
            link = links()[name]
            same(link["master"], master, f"the bridge of {name}")
            seen.append((flags, "UP" in link["flags"], link["mtu"], link["address"][:2]))
            os.close(fds[0])
        same(seen[0], seen[1], f"{words}: flags, state, MTU, first byte of the MAC")


@test
def failures_of_both(host):
    """No descriptor, a status that is not 0, a reason on standard error: QEMU takes status 0 without a message for success."""
    netd = prepare(host)
    for words in (["--use-vnet", "--fd=FD", "--br=nowhere"], ["--use-vnet", "--fd=FD"], ["--nonsense", "--br=BR", "--fd=FD"]):
        for (status, data, fds, said), _ in both(host, netd, words):
            check(status != 0 and not data and not fds and said.strip(), f"{words}: status {status}, {data!r}, {fds}", said)


@test
def failures_of_ours(host):
    netd = host.netd()
    env = {"NETD_SOCKET": netd.socket}
    status, _, fds, said = call(HELPER, "--fd=FD", "--br=missing", env=env)
    check(status != 0 and not fds, f"status {status}")
    contains(said, "missing", "the reason")
    netd.stop()
    status, _, fds, said = call(HELPER, "--fd=FD", "--br=default", env=env)
    check(status != 0 and not fds, f"status {status} without a daemon")
    contains(said, netd.socket, "the reason without a daemon")


main()
