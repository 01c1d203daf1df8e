# SPDX-License-Identifier: GPL-2.0-or-later
"""Who answers whom: runs inside a guest's or another namespace.

reach.py serve          TCP and UDP on PORT, both families: each connection and datagram is answered with the address it came from; prints "ready"
reach.py probe          reads [[name, protocol, address], …] as JSON, asks all at once, prints {name: the address that was seen, "pong", or null}
"""
import json
import socket
import subprocess
import sys
import threading

PORT, WAIT_S = 7007, 1.2


def seen(peer):
    return peer[0].partition("%")[0].removeprefix("::ffff:")


def serve():
    tcp = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", PORT))

    def answer():
        while True:
            peer = udp.recvfrom(2000)[1]
            udp.sendto(seen(peer).encode(), peer)

    threading.Thread(target=answer, daemon=True).start()
    print("ready", flush=True)
    while True:
        peer, address = tcp.accept()
        with peer:
            peer.sendall(seen(address).encode())


def ask(protocol, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if protocol == "ping":
        done = subprocess.run(["ping", "-n", "-c", "1", "-W", "1", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return "pong" if done.returncode == 0 else None
    with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(WAIT_S)
        try:
            s.connect((address, PORT))
            if protocol == "udp":
                s.send(b"who")
            return s.recv(100).decode() or None
        except OSError:
            return None


def probe():
    results = {}

    def one(name, protocol, address):
        results[name] = ask(protocol, address)

    threads = [threading.Thread(target=one, args=question) for question in json.load(sys.stdin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(results))


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else probe()
