#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Another client of an S3 server, for s3-trees.test: s3-trees.py URL COMMAND ARGUMENT..."""
import os
import stat
import sys

import boto3
from botocore.client import Config

client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
BUCKET = "bucket"


def make(*buckets):
    for bucket in buckets:
        client.create_bucket(Bucket=bucket)


def objects(prefix):
    """Key behind the prefix: contents and metadata."""
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for one in page.get("Contents", []):
            answer = client.get_object(Bucket=BUCKET, Key=one["Key"])
            found[one["Key"][len(prefix):]] = (answer["Body"].read(), answer["Metadata"])
    return found


def same(prefix, folder):
    """The objects are the files of the folder, with time and mode; an empty folder is an object, too."""
    found = objects(prefix)
    for path, folders, files in os.walk(folder):
        below = os.path.relpath(path, folder)
        if not folders and not files:
            body, _ = found.pop(below + "/")
            assert body == b"", below
        for name in files:
            key = os.path.normpath(os.path.join(below, name))
            body, metadata = found.pop(key)
            info = os.stat(os.path.join(path, name))
            seconds, fraction = metadata["mtime"].lstrip("-").split(".")
            nanoseconds = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
            assert nanoseconds * (-1 if metadata["mtime"].startswith("-") else 1) == info.st_mtime_ns, (key, metadata)
            assert int(metadata["mode"], 8) == info.st_mode and stat.S_ISREG(info.st_mode), (key, metadata)
            with open(os.path.join(path, name), "rb") as file:
                assert file.read() == body, key
    assert not found, list(found)


def hostile(prefix):
    keys = ["good", "sub/good", "marked/", "../escaped", "../../escaped", "sub/../../../escaped", "..", "sub/..", ".", "sub/.",
            "sub/./dot", "/absolute", "a//b", "ends/", "both", "both/below", "n" * 300, "m" * 300 + "/below", "//", "sub//"]
    for key in keys:
        body = b"" if key in ("marked/",) else key.split("/")[-1].encode()
        if key == "ends/":
            body = b"a slash at its end, and bytes"
        client.put_object(Bucket=BUCKET, Key=prefix + key, Body=body)


def equal(one, other):
    assert objects(one) == objects(other), (sorted(objects(one)), sorted(objects(other)))


{"make": make, "same": same, "hostile": hostile, "equal": equal}[sys.argv[2]](*sys.argv[3:])
