"""Encloses itself in Linux namespaces with a view of its own of the file system, then becomes the given command.

A script, run as `python -I -S -B enclosure.py PLAN COMMAND...`; it imports the standard library only. PLAN is JSON:
`system` and `read_only` (path without symbolic links, path inside), `links` (path, target), `hidden` folders,
`writable` folders (path, path inside; the command starts in the first), the `frozen` files in it, and `tmp_bytes`, the
size of the private /tmp. The outer half waits and ends as the command ends, at SIGTERM once it has killed it; the
command is process 1 of its own namespace, so that the kernel kills all others with it. Exit code 125 and one line on
standard error where it cannot be done.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, NoReturn

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_SLAVE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 19,
)  # fmt: skip
MNT_DETACH = 2
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "armv7l": 218, "ppc64le": 203, "s390x": 217}
SYS_MOUNT_SETATTR = 442
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
CANNOT = 125

libc = ctypes.CDLL(None, use_errno=True)


class RefusedError(Exception):
    """A step the system did not allow."""


def call(what: str, result: int) -> int:
    """The result of a system call, or `RefusedError` naming the step and the reason."""
    if result < 0:
        raise RefusedError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mount something at `target`; a bind mount where `kind` is empty."""
    arguments = [text.encode() or None for text in (source, target, kind)]
    call(f"mount {kind or 'bind'} on {target}", libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None))


def pivot(root: str, old: str) -> None:
    """Make `root` the root of the file system and move the old one to `old`."""
    number = SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise RefusedError(f"pivot_root is not known for {os.uname().machine}")
    call("pivot_root", libc.syscall(ctypes.c_long(number), root.encode(), old.encode()))


def bind(source: str, target: str, attributes: int) -> None:
    """Show `source` (with all that is mounted below it) at `target`, with more restrictive attributes."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    mount(source, target, "", MS_BIND | MS_REC)
    restrict(target, attributes)


def restrict(target: str, attributes: int) -> None:
    """Add attributes to the mount at `target` and all below it: a plain remount would leave those below writable."""
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    arguments = (ctypes.c_long(SYS_MOUNT_SETATTR), AT_FDCWD, target.encode(), AT_RECURSIVE, wanted, len(wanted))
    call(f"mount_setattr (Linux 5.12 or newer) on {target}", libc.syscall(*arguments))


def unshare() -> None:
    """Enter namespaces of our own, as the same user and group."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", libc.unshare(NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWCGROUP))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def build(plan: dict[str, Any]) -> None:
    """Make a new root that holds what the plan lists, and go there for good."""
    mount("", "/", "", MS_REC | MS_SLAVE)
    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755")
    os.makedirs("/tmp/new")
    os.makedirs("/tmp/old")
    mount("/tmp/new", "/tmp/new", "", MS_BIND | MS_REC)
    pivot("/tmp", "/tmp/old")
    os.chdir("/")
    # Before the rest: an interpreter or the writable folder may lie below the real /tmp and is shown on top.
    devices()
    memory_folder("/new/tmp", plan["tmp_bytes"])
    memory_folder("/new/dev/shm", plan["tmp_bytes"])
    show(plan["system"])
    for link, target in plan["links"]:
        os.symlink(target, f"/new{link}")
    for path in plan["hidden"]:
        mount("tmpfs", f"/new{path}", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    show(plan["read_only"])
    for source, path in plan["writable"]:
        bind(f"/old{source}", f"/new{path}", ATTR_NOSUID | ATTR_NODEV)
    for path in plan["frozen"]:
        bind(f"/new{path}", f"/new{path}", ATTR_RDONLY)
    os.makedirs("/new/proc")
    # Read-only, as root keeps its rights on /proc/sys even here.
    mount("proc", "/new/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    call("umount /old", libc.umount2(b"/old", MNT_DETACH))
    os.chdir("/new")
    pivot(".", ".")
    call("umount the outer root", libc.umount2(b".", MNT_DETACH))
    os.chdir("/")
    for path in (*plan["hidden"], "/dev", "/"):
        mount("", path, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def show(paths: list[list[str]]) -> None:
    """Make files and folders of the old root visible, read-only."""
    for source, path in paths:
        bind(f"/old{source}", f"/new{path}", ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)


def memory_folder(path: str, size: int) -> None:
    """A writable folder of limited size in memory."""
    os.makedirs(path, exist_ok=True)
    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},mode=1777")


def devices() -> None:
    """A /dev with the harmless devices and terminals of its own."""
    os.makedirs("/new/dev")
    mount("tmpfs", "/new/dev", "tmpfs", MS_NOSUID, "size=64k,mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        bind(f"/old/dev/{name}", f"/new/dev/{name}", ATTR_NOSUID)
    os.makedirs("/new/dev/pts")
    mount("devpts", "/new/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", "/new/dev/ptmx")
    os.symlink("/proc/self/fd", "/new/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/new/dev/{name}")


def loopback() -> None:
    """Bring up `lo`, the only network there is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack_from("h", fcntl.ioctl(probe, SIOCGIFFLAGS, asked), 16)[0]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP).ljust(40, b"\0"))


def renounce() -> None:
    """Give up every capability, and the means to get one back."""
    number = 0
    while libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) == 0:
        number += 1
    header = struct.pack("Ii", 0x20080522, 0)
    call("capset", libc.capset(header, struct.pack("6I", 0, 0, 0, 0, 0, 0)))
    call("no_new_privs", libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0))


def enclosed(plan: dict[str, Any], then: Callable[[], NoReturn]) -> int:
    """Do `then` as process 1 inside; the exit code it ended with, 128 and the signal's number where one ended it.

    The process that calls this is the outer half: it waits, and has namespaces of its own from here on.
    """
    try:
        unshare()
        die_with_parent()
        inner = os.fork()
        if inner == 0:
            die_with_parent()
            build(plan)
            loopback()
            renounce()
            os.chdir(plan["writable"][0][1])
            then()
    except (RefusedError, OSError) as problem:
        os.write(2, f"enclosure: {problem}\n".encode())
        os._exit(CANNOT)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(inner, signal.SIGKILL))
    os.close(1)
    os.close(2)
    code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
    return code if code >= 0 else 128 - code


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent ends, however it ends."""
    libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)


def main() -> int:
    """The plan and the command are the arguments; the inner half becomes the command."""
    argv = sys.argv[2:]
    return enclosed(json.loads(sys.argv[1]), lambda: os.execvpe(argv[0], argv, os.environ))


if __name__ == "__main__":
    sys.exit(main())
