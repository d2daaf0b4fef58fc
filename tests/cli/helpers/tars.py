# SPDX-License-Identifier: MIT
"""Tar archives for the tests of trees in archives: some that an attacker would write, and GNU tar as the other reader
and writer."""
import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile

import trees

ALL = ["--xattrs", "--xattrs-include=*", "--acls", "-S"]
SHORT_PATH = 3000  # GNU tar makes no paths beyond PATH_MAX


class Tar(tarfile.TarFile):
    """Adds entries of which each part is given."""

    def put(self, name, kind=tarfile.REGTYPE, data=b"", link="", **other):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.linkname, info.mode = kind, len(data), link, 0o644
        info.uid, info.gid = os.geteuid(), os.getegid()
        if kind == tarfile.DIRTYPE:
            info.mode = 0o755
        for key, value in other.items():
            setattr(info, key, value)
        self.addfile(info, io.BytesIO(data) if info.size == len(data) else None)


def make(path, *entries, form=tarfile.PAX_FORMAT):
    """Each entry: the arguments of put, as a tuple or a dictionary."""
    with Tar.open(path, "w", format=form, errors="surrogateescape", encoding="utf-8") as tar:
        for entry in entries:
            if isinstance(entry, dict):
                tar.put(**entry)
            else:
                tar.put(*entry)
    return path


def pack(folder, path, *options):
    """By GNU tar, which leaves sockets out and says so."""
    subprocess.run(["tar", *ALL, "--format=posix", "--sort=name", *options, "-C", folder, "-cf", path, "."], check=True,
                   stderr=subprocess.DEVNULL)


def unpack(path, folder):
    """By GNU tar. Its answer is 2 for paths beyond PATH_MAX, and it tells times that are in the future."""
    os.makedirs(folder, exist_ok=True)
    return subprocess.run(["tar", *ALL, "--numeric-owner", "-C", folder, "-xpf", path], check=False, capture_output=True)


def describe(folder, **options):
    """As trees.describe, without what GNU tar can't have."""
    return {name: what for name, what in trees.describe(folder, **options).items()
            if what["kind"] != stat.S_IFSOCK and len(name) < SHORT_PATH}


def image(layout, tag, *layers):
    """Makes a layout with an image of these tar files; every second layer is compressed. Returns the paths of their blobs."""
    os.makedirs(f"{layout}/blobs/sha256", exist_ok=True)

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
            file.write(data)
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}

    kind = "application/vnd.oci.image."
    entries, diffs = [], []
    for number, path in enumerate(layers):
        with open(path, "rb") as file:
            data = file.read()
        diffs.append("sha256:" + hashlib.sha256(data).hexdigest())
        entries.append(blob(gzip.compress(data), kind + "layer.v1.tar+gzip") if number % 2 else blob(data, kind + "layer.v1.tar"))
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                "config": blob(json.dumps(config).encode(), kind + "config.v1+json"), "layers": entries}
    top = blob(json.dumps(manifest).encode(), kind + "manifest.v1+json")
    top["annotations"] = {"org.opencontainers.image.ref.name": tag}
    with open(f"{layout}/index.json", "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [top]}, file)
    with open(f"{layout}/oci-layout", "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')
    return [f"{layout}/blobs/sha256/{entry['digest'][7:]}" for entry in entries]
