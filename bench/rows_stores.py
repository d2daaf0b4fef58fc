# SPDX-License-Identifier: MIT
"""The rows where one end is a store: a web server, S3, a registry of images. All are servers on loopback."""
from row import OBJECTS, Contender, Goal, Row, ours, peers

FILES = 10_000  # of a tree
MEMORY = Goal("memory", 64 << 20, called="peak memory")
HTTP = "http://127.0.0.1:{port0}/bucket/source"
ENDPOINT = "http://127.0.0.1:{port0}"
RCLONE = "rclone --s3-endpoint " + ENDPOINT
AWS = f"aws --endpoint-url {ENDPOINT} s3 cp --quiet"


def in_s3(command):
    return f"env AWS_ENDPOINT_URL={ENDPOINT} {command}"


def store_rows():
    return [
        http_sha256(),
        s3_get(),
        s3_put(),
        image_pull(),
        small_objects(),
        objects_to_tree(),
        tree_to_objects(),
    ]


def http_sha256():
    fetch = f"curl -s -o target {HTTP}"
    piped = f"curl -s {HTTP} | tee target | sha256sum"
    return Row(
        "http-sha256",
        "object of {size} of a web server → new file with SHA-256, {fs}",
        ours(f"leat copy --digest sha256 {HTTP} target")
        + [Contender(f"leat copy --streams 1 --digest sha256 {HTTP} target", "forced")]
        + peers(piped)
        + [Contender(fetch, "part"), Contender("openssl dgst -sha256 source", "part")],
        [
            Goal("speed", 0.9, ("part",), "the slower of curl and openssl, each alone", slowest=True),
            Goal("speed", 2.5, (piped,), "curl, tee and sha256sum"),
            MEMORY,
        ],
        "memory",
        target=True,
        times=8,
        server="nginx",
    )


def s3_get():
    return Row(
        "s3-get",
        "object of {size} of S3 → new file, {fs}",
        ours(in_s3("leat copy s3://bucket/source target"))
        + [Contender(in_s3("leat copy --streams 1 s3://bucket/source target"), "forced")]
        + peers(f"{AWS} s3://bucket/source target", f"{RCLONE} copyto :s3:bucket/source target"),
        [Goal("speed", 1.5, ("peer",), "the better of awscli and rclone"), MEMORY],
        "memory",
        target=True,
        times=4,
        server="nginx",
        note="The server is nginx, which gives files and ranges and checks no signature.",
    )


def s3_put():
    return Row(
        "s3-put",
        "pipe → object of {size} of S3",
        ours(in_s3("leat copy - s3://bucket/key"))
        + peers(f"{RCLONE} rcat :s3:bucket/key", f"{AWS} - s3://bucket/key"),
        [Goal("speed", 1.5, ("peer",), "the better of rclone rcat and awscli"), MEMORY],
        "memory",
        feed="write",
        source=False,
        times=4,
        server="s3 sink",
        note="The store reads what comes, keeps nothing and checks nothing.",
    )


def image_pull():
    at = "docker://127.0.0.1:{port0}/bench:1"
    return Row(
        "image-pull",
        "image of 4 layers, {size}, of docker-registry → layout, {fs}",
        ours(f"leat image copy {at} oci:written:1")
        + peers(f"skopeo --insecure-policy copy -q --src-tls-verify=false {at} oci:written:1"),
        [Goal("speed", 1.5, ("peer",), "skopeo"), MEMORY],
        "memory",
        times=2,
        server="registry",
    )


def small_objects():
    return Row(
        "small-objects",
        f"{OBJECTS} objects of 4 KiB of S3 → new files, {{fs}}",
        ours(in_s3(f"objects {OBJECTS} s3://bucket/small/ written"))
        + peers(f"{RCLONE} copy :s3:bucket/small written"),
        [Goal("speed", 2.0, ("peer",), "rclone"), MEMORY],
        "memory",
        source=False,
        server="nginx",
    )


def tree_goals(rclone, aws):
    return [Goal("speed", 2.0, (rclone,), "rclone"), Goal("speed", 5.0, (aws,), "awscli"), MEMORY]


def objects_to_tree():
    rclone, aws = f"{RCLONE} copy :s3:bucket/small written", f"{AWS} --recursive s3://bucket/small/ written"
    return Row(
        "s3-tree-get",
        f"{OBJECTS} objects of 4 KiB of S3 → new folder, {{fs}}",
        ours(in_s3("leat copy -r s3://bucket/small/ written")) + peers(rclone, aws),
        tree_goals(rclone, aws),
        "memory",
        source=False,
        server="nginx",
        note="The server gives the whole list in one page, and checks no signature.",
    )


def tree_to_objects():
    rclone, aws = f"{RCLONE} copy tree :s3:bucket/tree", f"{AWS} --recursive tree s3://bucket/tree/"
    return Row(
        "s3-tree-put",
        f"{FILES} files of 4 KiB in 100 folders → objects of S3",
        ours(in_s3("leat copy -r tree s3://bucket/tree/")) + peers(rclone, aws),
        tree_goals(rclone, aws),
        "memory",
        source=False,
        size=FILES * 4096,
        tree=True,
        server="s3 sink",
        note="The store reads what comes, keeps nothing and checks nothing.",
    )
