# SPDX-License-Identifier: MIT
"""Trees for the tests of `leat copy -r` and -a: a generator with a seed, and a reader that knows nothing of leat."""
import os
import random
import socket
import stat
import struct
import sys

ROOT = os.geteuid() == 0


def can(function, *arguments):
    """Some file systems and users lack things; what was not made is not expected either."""
    try:
        function(*arguments)
        return True
    except OSError:
        return False


def acl(user, rights):
    """An access control list that gives this user these rights: the value of system.posix_acl_access."""
    entries = [(1, 6, 0xFFFFFFFF), (2, rights, user), (4, 4, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def times(path, dice):
    os.utime(path, ns=(dice.randrange(2 * 10**18), dice.randrange(2 * 10**18)), follow_symlinks=False)


def decorate(path, dice):
    """Modes, owners, attributes. The times come last."""
    if ROOT and dice.random() < 0.5:
        os.chown(path, dice.randrange(3000), dice.randrange(3000), follow_symlinks=False)
    if ROOT and dice.random() < 0.3:
        can(lambda: os.setxattr(path, "trusted.leat", dice.randbytes(dice.choice([0, 1, 300])), follow_symlinks=False))
    if os.path.islink(path):
        return
    mode = dice.choice([0o644, 0o600, 0o755, 0o4755, 0o2711, 0o1777, 0o444, 0o640])
    if not ROOT:
        mode = mode & 0o1777 | 0o600 | (0o700 if os.path.isdir(path) else 0)
    os.chmod(path, mode)
    regular = stat.S_ISREG(os.lstat(path).st_mode) or os.path.isdir(path)
    if regular and dice.random() < 0.3:
        can(os.setxattr, path, b"user." + bytes(dice.choices(range(97, 123), k=8)), dice.randbytes(dice.choice([0, 1, 300])))
    if regular and dice.random() < 0.2:
        can(os.setxattr, path, "system.posix_acl_access", acl(dice.randrange(1, 3000), dice.randrange(8)))
    if os.path.isdir(path) and dice.random() < 0.2:
        can(os.setxattr, path, "system.posix_acl_default", acl(dice.randrange(1, 3000), dice.randrange(8)))
    if ROOT and os.path.isfile(path) and dice.random() < 0.1:
        can(os.setxattr, path, "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))


def holes(path, dice):
    with open(path, "wb") as file:
        for _ in range(3):
            file.seek(dice.randrange(2_000_000) // 4096 * 4096)
            file.write(dice.randbytes(5000))
        file.truncate(2_500_000 + dice.randrange(9000))


def make(root, seed=1, files=120, specials=True):
    """Makes a hostile tree in the new folder `root`, whose path is of bytes."""
    dice = random.Random(seed)
    os.mkdir(root)
    folders, made = [root], []
    for number in range(files // 5):
        folder = os.path.join(dice.choice(folders), b"d%d" % number)
        os.mkdir(folder)
        folders.append(folder)
    names = [bytes([byte]) + b"_" for byte in range(1, 256) if byte != ord("/")]
    names += [b"n" * 255, "é€𝄞".encode(), b"-rf", b" ", b"...", b"a\nb\\c\"'d", b".leat-x"]
    for number in range(files):
        path = os.path.join(dice.choice(folders), names[number % len(names)] if number % 2 else b"f%d" % number)
        if os.path.lexists(path):
            continue
        kind = dice.random()
        if kind < 0.6:
            with open(path, "wb") as file:
                file.write(dice.randbytes(dice.choice([0, 1, 4095, 4096, 4097, 70_000, 131_072, 131_073, 400_000])))
        elif kind < 0.68:
            holes(path, dice)
        elif kind < 0.8:
            text = dice.choice([b"/etc/passwd", b"..", b".", b"missing", path, b"x" * 4000, b"../" * 30])
            can(os.symlink, text, path)  # xfs has no text of more than 1023 bytes
        elif kind < 0.92 and made:
            os.link(dice.choice(made), path, follow_symlinks=False)
            continue
        elif specials and kind < 0.96:
            os.mkfifo(path)
        elif specials and ROOT and kind < 0.98:
            can(os.mknod, path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        elif specials and len(path) < 100:
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
        if os.path.lexists(path):
            made.append(path)
    for path in made + folders:
        decorate(path, dice)
    for path in made + folders[::-1]:
        times(path, dice)
    deep(root, dice)
    times(root, dice)


def deep(root, dice):
    """A path that is longer than PATH_MAX."""
    fd = os.open(root, os.O_RDONLY)
    for level in range(30):
        name = b"%02d" % level + b"p" * 200
        os.mkdir(name, dir_fd=fd)
        down = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = down
    with open(os.open(b"bottom", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd), "wb") as file:
        file.write(dice.randbytes(100))
    os.close(fd)


VIEWS = ("trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT")  # what xfs shows besides of the lists


def attributes(fd):
    try:
        return {name: os.getxattr(fd, name) for name in os.listxattr(fd) if name not in VIEWS}
    except OSError:
        return {}


def attributes_of_name(folder, name):
    """Of a symbolic link, a FIFO, a socket or a device."""
    way = b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        return {name: os.getxattr(way, name, follow_symlinks=False) for name in os.listxattr(way, follow_symlinks=False)}
    except OSError:
        return {}


def sparse(fd, size):
    """The places of data, by blocks."""
    found, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        found.append((start, at))
    return found


def describe(root, everything=True, owners=True):
    """{relative name: what a copy must have}, read through descriptors. Names of one file share a number."""
    seen, numbers = {}, {}
    stack = [(os.open(root, os.O_RDONLY), b"")]
    while stack:
        folder, path = stack.pop()
        seen[path or b"."] = one(os.fstat(folder), folder, everything, owners)
        for name in sorted(os.listdir(folder), key=os.fsencode):
            name = os.fsencode(name)
            st = os.stat(name, dir_fd=folder, follow_symlinks=False)
            inner = path + b"/" + name if path else name
            if stat.S_ISDIR(st.st_mode):
                stack.append((os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), inner))
                continue
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder) if stat.S_ISREG(st.st_mode) else None
            what = one(st, fd, everything, owners)
            if fd is None and everything:
                what["attributes"] = attributes_of_name(folder, name)
            if stat.S_ISLNK(st.st_mode):
                what["to"] = os.readlink(name, dir_fd=folder)
            if everything:
                what["file"] = numbers.setdefault((st.st_dev, st.st_ino), inner)
            if fd is not None:
                what["bytes"] = b"".join(iter(lambda: os.read(fd, 1 << 20), b""))
                os.close(fd)
            seen[inner] = what
        os.close(folder)
    return seen


def one(st, fd, everything, owners):
    what = {"kind": stat.S_IFMT(st.st_mode), "mtime": st.st_mtime_ns}
    if not stat.S_ISLNK(st.st_mode):
        what["mode"] = st.st_mode & (0o7777 if everything else 0o1777)
    if everything:
        what["device"] = st.st_rdev
        if owners:
            what["owner"] = (st.st_uid, st.st_gid)
        if fd is not None:
            what["attributes"] = attributes(fd)
    if fd is not None and stat.S_ISREG(st.st_mode):
        what["holes"] = st.st_blocks * 512 < st.st_size
    return what


def is_kept(what, key):
    """POSIX alone sees neither holes nor extended attributes; lists are such, and are a part of the mode."""
    check = sys.modules.get("check")
    if not check or not check.PORTABLE:
        return True
    has_list = any("posix_acl" in name for name in what.get("attributes") or ())
    return key not in ("holes", "attributes") and not (key == "mode" and has_list)


def differences(a, b):
    """What is different, as lines."""
    lines = [f"only in the source: {name!r}" for name in a if name not in b]
    lines += [f"only in the copy: {name!r}" for name in b if name not in a]
    for name in a:
        for key in a[name] if name in b else ():
            if a[name][key] != b[name].get(key) and is_kept(a[name], key):
                lines.append(f"{name[:60]!r}: {key}: {str(a[name][key])[:80]} and {str(b[name].get(key))[:80]}")
    return lines
