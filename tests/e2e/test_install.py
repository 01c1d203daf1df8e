# SPDX-License-Identifier: GPL-2.0-or-later
"""meson install with DESTDIR: everything in its place, the unit one that systemd reads, the programs ones that run."""
import os
import re
import shutil

from lib import BUILD, check, contains, main, run, same, test


def installed(host):
    root = os.path.join(host.dir, "root")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root, timeout=100)
    return root


def find(root, name):
    hits = [os.path.join(d, name) for d, _, files in os.walk(root) if name in files]
    same(len(hits), 1, f"files named {name}")
    return hits[0]


@test
def files_in_place(host):
    root = installed(host)
    for name, below in (("netd", "sbin"), ("netdctl", "bin"), ("netd-bridge-helper", "lib/netd"), ("netd.service", "lib/systemd/system"),
                        ("netd-libvirt-publish@.service", "lib/systemd/system"),
                        ("netd.conf", "lib/sysusers.d"), ("default.xml", "etc/netd/networks"), ("10-netd-unmanaged.network", "lib/systemd/network"),
                        ("10-netd-unmanaged.conf", "lib/NetworkManager/conf.d"), ("netd.8", "man8"), ("netd.conf.5", "man5"),
                        ("netd-network.5", "man5"), ("netdctl.1", "man1")):
        path = find(root, name)
        check(os.path.dirname(path).endswith(below), f"{path} is not below {below}")
        mode = os.stat(path).st_mode & 0o7777
        check(not mode & 0o6022, f"{path} has mode {mode:o}")
    contains(run(find(root, "netd"), "--version").stdout, "netd", "netd --version")
    contains(run(find(root, "netdctl"), "help").stdout, "net-list", "netdctl help")


def verified(root, path):
    """systemd finds nothing wrong with the unit, its program is installed, and no placeholder is left."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check("@" not in re.sub(r"^#.*$", "", text, flags=re.M).replace("~@", "").replace(" @", ""), "a placeholder is left", text)
    binary = re.search(r"^ExecStart=(\S+)", text, re.M).group(1)
    check(os.access(root + binary, os.X_OK), f"{binary} is not installed")
    tool = shutil.which("systemd-analyze")
    check(tool, "systemd-analyze is missing: package systemd")
    # The program must be where the unit says: in this test's own mount namespace it is.
    os.makedirs(os.path.dirname(binary), exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", os.path.dirname(binary))
    shutil.copy(root + binary, binary)
    done = run(tool, "verify", "--recursive-errors=no", "--man=no", path, ok=None)
    name = os.path.basename(path).partition("@")[0].partition(".")[0]
    same([line for line in (done.stdout + done.stderr).splitlines() if f"{name}@" in line or f"{name}.service" in line], [],
         "what systemd-analyze verify says")


@test
def unit(host):
    """systemd finds nothing wrong with it, and it leaves netd what netd needs."""
    root = installed(host)
    path = find(root, "netd.service")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    same(settings["RuntimeDirectoryPreserve"], "yes", "RuntimeDirectoryPreserve")
    for name in ("ProtectKernelTunables", "PrivateDevices", "PrivateNetwork"):
        check(name not in settings, f"{name} would take away what netd needs")
    verified(root, path)


@test
def template(host):
    root = installed(host)
    verified(root, find(root, "netd-libvirt-publish@.service"))


@test
def accounts(host):
    root = installed(host)
    tool = shutil.which("systemd-sysusers")
    check(tool, "systemd-sysusers is missing: package systemd")
    os.makedirs(os.path.join(root, "etc"))
    run(tool, f"--root={root}")
    with open(os.path.join(root, "etc/group"), encoding="ascii") as groups, open(os.path.join(root, "etc/passwd"), encoding="ascii") as users:
        contains(groups.read(), ["netd:", "netd-dhcp:"], "groups")
        contains(users.read(), "netd-dhcp:", "users")


main()
