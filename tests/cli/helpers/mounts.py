# SPDX-License-Identifier: MIT
"""File systems for tests, mounted in a mount namespace of the test's own: nothing outlives it. The import starts the
test again in such a namespace."""
import fcntl
import os
import struct
import subprocess
import sys

if os.geteuid() == 0 and "LEAT_UNSHARED" not in os.environ:
    probe = subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False)
    if probe.returncode == 0:
        os.environ["LEAT_UNSHARED"] = "yes"
        os.execvp("unshare", ["unshare", "-m", *sys.argv])
ROOT = "LEAT_UNSHARED" in os.environ
places, missing = {}, []  # name: folder; names


def quiet(*command):
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return False


def note(name, is_mounted):
    if is_mounted:
        places[name] = name
    else:
        missing.append(name)
    return is_mounted


def mount(name, megabytes, *mkfs, how=("mount", "-o", "loop")):
    """A file system in a file."""
    os.mkdir(name)
    with open(name + ".img", "wb") as image:
        image.truncate(megabytes * 2**20)
    return note(name, ROOT and quiet(*mkfs, name + ".img") and quiet(*how, name + ".img", name))


def mount_memory(name="tmpfs", size="200m"):
    os.mkdir(name)
    return note(name, ROOT and quiet("mount", "-t", "tmpfs", "-o", "size=" + size, "none", name))


def mount_overlay(layers, name="overlay"):
    """An overlay whose layers are in the folder `layers`."""
    os.mkdir(name)
    parts = [os.path.join(os.getcwd(), layers, part) for part in ("lower", "upper", "work")]
    for part in parts:
        os.mkdir(part)
    options = "lowerdir={},upperdir={},workdir={}".format(*parts)
    return note(name, ROOT and quiet("mount", "-t", "overlay", "-o", options, "none", name))


def shares_blocks(path):
    """FIEMAP with FIEMAP_FLAG_SYNC; the flags of the first extent have FIEMAP_EXTENT_SHARED."""
    request = bytearray(struct.pack("=QQLLLL", 0, 2**63, 1, 0, 1, 0) + bytes(56))
    with open(path, "rb") as file:
        fcntl.ioctl(file, 0xC020660B, request)
    return bool(struct.unpack_from("=QQQQQL", request, 32)[5] & 0x2000)
