# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as such: locks, definitions by hand, signals, who may talk to it, readiness, a full disk."""
import os
import shutil
import signal
import socket
import subprocess
import sys

from lib import NETD, NETDCTL, Guest, check, contains, links, main, ruleset, run, same, test, wait_for

GOOD = "<network><name>{0}</name><ip address='10.{1}.0.1' prefix='24'/></network>"


@test
def options(host):
    contains(run(NETD, "--help").stdout, ["--config-dir", "--state-dir", "--run-dir", "--log-level"], "--help")
    contains(run(NETD, "--version").stdout, "netd 0.", "--version")
    for words in (["--nonsense"], ["word"], ["--log-level", "loud"]):
        same(run(NETD, *words, ok=None).returncode, 2, f"status of {words}")


@test
def second_daemon(host):
    """On one run folder, and in one network namespace: it says who is there."""
    netd = host.netd()
    second = run(*netd.command(), ok=None)
    check(second.returncode != 0, "a second daemon started")
    contains(second.stderr, [netd.dirs["run"], f"pid {netd.process.pid}"], "same run folder")
    other = [netd.command()[0]]
    for option, name in (("--config-dir", "e"), ("--state-dir", "s"), ("--run-dir", "r")):
        os.makedirs(os.path.join(host.dir, name))
        other += [option, os.path.join(host.dir, name)]
    third = run(*other, ok=None)
    check(third.returncode != 0, "a second daemon in the network namespace started")
    contains(third.stderr, ["namespace", f"pid {netd.process.pid}"], "same network namespace")
    netd.ctl("version")
    netd.kill()
    netd.start()  # locks of a dead daemon are nobody's


def held(name):
    """The abstract socket, by a user without any right. listens: as another netd would do."""
    code = ("import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.bind('\\0netd');"
            f"{'s.listen();' if name == 'listens' else ''} print('held', flush=True); sys.stdin.read()")
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    same(process.stdout.readline(), "held\n", "the stranger")
    return process


@test
def namespace_lock_taken_by_a_stranger(host):
    """Who may not be netd keeps nobody from being it; two at once there are not all the same."""
    for name in ("listens", "binds"):
        stranger = held(name)
        netd = host.netd(name=name)
        contains(netd.log(), "not another netd", "the log")
        if name == "listens":
            contains(netd.log(), [f"pid {stranger.pid}", "uid 65534"], "the log")
        other = [netd.command()[0]]
        for option in ("--config-dir", "--state-dir", "--run-dir"):
            other += [option, os.path.join(host.dir, name + option)]
            os.makedirs(other[-1])
        second = run(*other, ok=None)
        check(second.returncode != 0, "a second daemon in the network namespace started")
        contains(second.stderr, ["another netd", "namespace", f"pid {netd.process.pid}"], "the second daemon")
        netd.stop()
        stranger.stdin.close()
        stranger.wait(10)


@test
def lock_that_is_no_file(host):
    os.makedirs(os.path.join(host.dir, "r"))
    os.symlink("/dev/null", os.path.join(host.dir, "r", "netd.lock"))
    done = run(NETD, "--config-dir", host.dir, "--state-dir", host.dir, "--run-dir", os.path.join(host.dir, "r"), ok=None)
    check(done.returncode != 0, "netd started")
    contains(done.stderr, "netd.lock: not a regular file", "what it says")
    check("another netd" not in done.stderr, "it blames another netd", done.stderr)


@test
def broken_definition(host):
    """File, line, element, what was expected; the others go on."""
    networks = os.path.join(host.dir, "netd", "etc", "networks")
    os.makedirs(networks)
    files = {
        "good.xml": GOOD.format("good", 60),
        "broken.xml": "<network>\n  <name>broken</name>\n  <ip address='10.61.0.1'\n      netmask='255.0.255.0'/>\n</network>\n",
        "cut.xml": "<network><name>cut</name>",
        "other.xml": GOOD.format("misnamed", 62),
    }
    for name, text in files.items():
        with open(os.path.join(networks, name), "w", encoding="ascii") as file:
            file.write(text)
    netd = host.netd()
    same([n["name"] for n in netd.networks()], ["good"], "networks defined")
    netd.ctl("net-start", "good")
    lines = [line for line in netd.log().splitlines() if "definition-broken" in line]
    same(len(lines), 3, "files told")
    told = {name: next((line for line in lines if name in line), "") for name in ("broken.xml", "cut.xml", "other.xml")}
    contains(told["broken.xml"], [os.path.join(networks, "broken.xml"), "netmask", "255.0.255.0"], "broken.xml")
    contains(told["cut.xml"], "line 1", "cut.xml")
    contains(told["other.xml"], "misnamed", "other.xml")
    refusal = netd.ctl("net-start", "broken", ok=False).stderr
    contains(refusal, ["no network with matching name 'broken': its definition is broken", "broken.xml", "255.0.255.0"], "net-start of a broken one")


@test
def reload_by_signal(host):
    netd = host.netd()
    events = netd.events()
    netd.write("networks/new.xml", GOOD.format("new", 63))
    netd.process.send_signal(signal.SIGHUP)
    events.wait("network-defined", '"new"')
    netd.ctl("net-start", "new")
    netd.write("networks/new.xml", GOOD.format("new", 64))
    netd.write("networks/bad.xml", "<network/>")
    since = events.position()
    netd.process.send_signal(signal.SIGHUP)
    events.wait("definition-broken", "bad.xml", 10, since)
    contains(netd.ctl("net-dumpxml", "new").stdout, "10.63.0.1", "what runs")
    contains(netd.ctl("net-dumpxml", "new", "--inactive").stdout, "10.64.0.1", "what the next start uses")
    os.unlink(os.path.join(netd.dirs["etc"], "networks", "new.xml"))
    contains(netd.ctl("reload", ok=False).stderr, "1 of the definitions", "reload, with one broken file")
    same([(n["name"], n["persistent"], n["active"]) for n in netd.networks()], [("new", False, True)], "a running network whose file is gone")


@test
def others_are_refused(host):
    """Neither root nor of the group: their uid, and what would allow them."""
    netd = host.netd_default()
    os.chmod(host.dir, 0o755)
    refused = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", NETDCTL, "--socket", netd.socket, "net-list", ok=None)
    same(refused.returncode, 7, f"status: {refused.stderr}")
    contains(refused.stderr, ["65534", "group 'netd'", "usermod"], "the refusal")
    attach = run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", NETDCTL, "--socket", netd.socket,
                 "exec", "--network", "default", "--", "true", ok=None)
    same(attach.returncode, 125, f"status of exec: {attach.stderr}")
    same(netd.ports(), [], "ports")


@test
def members_of_the_group_are_not(host):
    """The group's name is a setting; uid 65534 in group nogroup stands for a member."""
    netd = host.netd_default(conf="group = nogroup\n")
    run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", NETDCTL, "--socket", netd.socket, "net-list")
    run("setpriv", "--reuid", "65534", "--regid", "65533", "--groups", "65534", NETDCTL, "--socket", netd.socket, "net-list")


@test
def settings_file(host):
    netd = host.netd(conf="# a comment\nlog_level = debug\nnft_table_owner = no\n")
    netd.stop()
    for text, words in (("nonsense = 1\n", ["line 1", "nonsense"]), ("\nlease_grace = soon\n", ["line 2", "lease_grace"]), ("group\n", ["line 1"])):
        netd.write("netd.conf", text)
        done = run(*netd.command(), ok=None)
        check(done.returncode != 0, f"netd started with '{text}'")
        contains(done.stderr, ["netd.conf", *words], f"what it said to '{text}'")


@test
def the_worker_has_no_rights(host):
    netd = host.netd_default()
    Guest(netd).dhcp()
    status = {}
    with open(f"/proc/{netd.worker()}/status", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            status[key] = value.split()
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        same(int(status[key][0], 16), 0, key)
    check(all(uid != "0" for uid in status["Uid"] + status["Gid"]), "the worker is root", status["Uid"], status["Gid"])
    same((status["NoNewPrivs"], status["Seccomp"]), (["1"], ["2"]), "NoNewPrivs and Seccomp")
    same(os.listdir(f"/proc/{netd.worker()}/root/"), [], "what the worker sees of the file system")


@test
def readiness(host):
    """NOTIFY_SOCKET: READY=1 when the socket answers, and again around a reload."""
    path = os.path.join(host.dir, "notify")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(20)
    netd = host.netd(env={"NOTIFY_SOCKET": path}, wait=False)
    contains(notify.recv(4096).decode(), "READY=1", "the first message")
    netd.ctl("version")
    netd.process.send_signal(signal.SIGHUP)
    contains(notify.recv(4096).decode(), ["RELOADING=1", "MONOTONIC_USEC="], "on SIGHUP")
    contains(notify.recv(4096).decode(), "READY=1", "after it")
    netd.process.send_signal(signal.SIGTERM)
    contains(notify.recv(4096).decode(), "STOPPING=1", "on SIGTERM")
    netd.process.wait(20)


@test
def socket_activation(host):
    """A socket that systemd listens on: calls made before the daemon runs are answered."""
    tool = shutil.which("systemd-socket-activate")
    check(tool, "systemd-socket-activate is missing: package systemd")
    netd = host.netd()
    netd.stop()
    path = netd.socket
    log = open(netd.log_path, "a", encoding="ascii")
    activator = subprocess.Popen([tool, "-l", path, *[f"-E{k}" for k in ("ASAN_OPTIONS", "LSAN_OPTIONS")], *netd.command()], stdout=log, stderr=log)
    wait_for("socket", lambda: os.path.exists(path))
    contains(run(NETDCTL, "--socket", path, "version").stdout, "netd", "version")
    activator.send_signal(signal.SIGTERM)
    same(activator.wait(20), 0, "status")
    check(os.path.exists(path), "systemd's socket is gone with the daemon")


@test
def full_disk(host):
    """A lease that cannot be stored is not acknowledged; those that are stored go on; afterwards all is well."""
    state = os.path.join(host.dir, "netd", "state")
    os.makedirs(state)
    run("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", state)
    netd = host.netd_default()
    events = netd.events()
    first = Guest(netd)
    address = first.dhcp()["ip"]
    filler = os.path.join(state, "filler")
    with open(filler, "wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    second = Guest(netd)
    second.dhcp(ok=False, tries=3)
    events.wait("lease-refused")
    same([r["address"] for r in netd.leases("default")], [address], "leases on a full disk")
    os.unlink(filler)
    check(second.dhcp()["ip"] != address, "one address for two guests")
    first.dhcp()


@test
def stop_leaves_everything(host):
    netd = host.netd_default()
    netd.ctl("net-start", "default")
    before, rules = sorted(links()), ruleset()
    netd.stop()
    same((sorted(links()), ruleset()), (before, rules), "links and rules after SIGTERM")
    check(not os.path.exists(netd.socket), "the socket is still there")


@test
def destroy_removes_everything(host):
    """No link and no element is left of a network that was stopped, however often; the tables themselves stay, empty."""
    netd = host.netd_default()
    before, rules = sorted(links()), None
    for _ in range(3):
        guest = Guest(netd)
        guest.dhcp()
        guest.kill()
        wait_for("end of the port", lambda: not netd.ports())
        netd.ctl("net-destroy", "default")
        wait_for("links as before", lambda: sorted(links()) == before)
        check("virbr0" not in ruleset() and "vnet" not in ruleset(), "elements are left", ruleset())
        same(ruleset(), rules or ruleset(), "the ruleset")
        rules = ruleset()


@test
def a_bridge_without_ports_answers(host):
    netd = host.netd_default()
    netd.ctl("net-start", "default")
    run("ping", "-n", "-c", 1, "-W", 2, "192.168.122.1")


main()
