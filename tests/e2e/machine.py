# SPDX-License-Identifier: GPL-2.0-or-later
"""The same tests on another kernel: Debian's, in QEMU.

What the kernel of the host that runs the tests lacks is tested there, with the netd, the programs, the libraries and the Python of the host, all at
the paths that they have here. A test file ends with machine_main() instead of main(). In the machine it runs as it does here; what it says comes back
on the serial console. Modules of that kernel are loaded when netd needs them, as on a machine that has just booted.
"""
import contextlib
import importlib.util
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lib

PROGRAMS = ("bridge", "busybox", "dnsmasq", "ip", "mount", "nft", "nsenter", "ping", "python3", "sleep", "tc", "unshare")
FILES = ("/etc/group", "/etc/nsswitch.conf", "/etc/passwd", "/etc/protocols")
FOLDERS = ("etc", "root", "run", "tmp", "var/tmp")
ENVIRONMENT = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "NETD_BUILD")
MEMORY_MB = 1024
MACHINE_S = 240  # without KVM, on a machine that is busy with other tests, with the sanitizers
SCRIPT = """
modprobe tun
export PATH=/usr/sbin:/usr/bin:/bin HOME=/root NETD_TEST_MACHINE=yes PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 {environment}
python3 -S {command}
mark status $?
"""


class Tree:
    """A folder that will be the machine's root. Programs are found at their real paths: usr is merged there, too."""

    def __init__(self, root):
        self.root, self.have = root, set()
        for folder in FOLDERS:
            os.makedirs(os.path.join(root, folder))

    def place(self, path):
        there = self.root + path
        os.makedirs(os.path.dirname(there), exist_ok=True)
        return there

    def add(self, path):
        """Return: whether it was not there yet."""
        if path in self.have:
            return False
        self.have.add(path)
        shutil.copy2(path, self.place(path))
        return True

    def add_binary(self, path):
        """With the libraries that it is linked with, and by the name that was asked for."""
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if os.path.islink(real):
            target = os.path.realpath(real)
            if real not in self.have:
                self.have.add(real)
                os.symlink(target, self.place(real))
            real = target
        if not self.add(real):
            return
        lib.run("strip", "-g", self.root + real, ok=None)
        for library in re.findall(r"(/\S+) \(0x", lib.run("ldd", real, ok=None).stdout):
            self.add_binary(library)

    def add_python(self, path):
        """A module, and its code, which is good whatever the times of the files: the machine would be long at compiling."""
        if path.endswith(".so"):
            self.add_binary(path)
        elif self.add(path):
            with contextlib.suppress(NotImplementedError):
                compiled = importlib.util.cache_from_source(self.root + path)
                py_compile.compile(path, compiled, path, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def python_files(test):
    """What a Python without sites loads for a test, and what it needs to start at all."""
    program = ("import sys; sys.path.insert(0, sys.argv[1]); import runpy, encodings.ascii, encodings.latin_1, encodings.idna; "
               "runpy.run_path(sys.argv[2], run_name='looked at'); "
               "print(*filter(None, (getattr(m, '__file__', None) for m in list(sys.modules.values()))), sep='\\n')")
    done = lib.run("/usr/bin/python3", "-S", "-c", program, os.path.dirname(test), test, env={"NETD_TEST_MACHINE": "look"})
    return done.stdout.split()


def build(root, test):
    tree = Tree(root)
    for name in PROGRAMS:
        path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        lib.check(path, f"{name} is missing (scripts/deps --test)")
        tree.add_binary(path)
    for path in (lib.NETD, lib.NETDCTL, lib.HOLDER):
        tree.add_binary(os.path.realpath(path))
    for path in FILES:
        if os.path.exists(path):
            tree.add(path)
    for path in [*python_files(test), test, os.path.join(lib.HERE, "on-lease"), os.path.join(lib.SOURCE, "netd", "default.xml")]:
        tree.add_python(path) if path.endswith((".py", ".so")) else tree.add(path)


def boot(folder, test, words):
    """Return: what the machine said."""
    tree, script, initrd, serial, log = (os.path.join(folder, name) for name in ("tree", "script", "initrd", "serial", "log"))
    build(tree, test)
    environment = " ".join(f"{name}='{os.environ[name]}'" for name in ENVIRONMENT if name in os.environ)
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT.format(environment=environment, command=" ".join([test, *words])))
    lib.run(lib.GUEST, "initrd", script, initrd, tree, timeout=300)
    args = lib.run(lib.GUEST, "args", timeout=300).stdout.splitlines()
    machine = ["-m", str(MEMORY_MB), "-smp", str(os.cpu_count()), "-initrd", initrd, "-serial", f"file:{serial}"]
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(["timeout", str(MACHINE_S), "qemu-system-x86_64", *args, *machine], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              check=False)
    with open(log, encoding="utf-8", errors="replace") as file:
        print(file.read(), end="")
    print(f"QEMU's status {done.returncode}" if done.returncode else "", end="")
    with open(serial, encoding="utf-8", errors="replace") as file:
        return file.read()


def machine_main():
    if os.environ.get("NETD_TEST_MACHINE") == "look":
        return
    if os.environ.get("NETD_TEST_MACHINE"):
        lib.main()
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1")
    os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="netd-machine.")
    try:
        said = boot(folder, os.path.abspath(sys.argv[0]), sys.argv[1:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(said.replace("\r", ""))
    status = re.search(r"^@@status (\d+)", said, re.M)
    print(f"the machine: {time.monotonic() - started:.1f} s")
    sys.exit(0 if status and status.group(1) == "0" else 1)
