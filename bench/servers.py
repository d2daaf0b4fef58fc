# SPDX-License-Identifier: MIT
"""Servers on loopback, which rows ask for by name. Each serves files of the row's folder and lives until the row ends."""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from row import OBJECTS, NotHere

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 20  # a server may take so long to answer for the first time
LAYERS = 4  # of the image
# What the clients of stores read from the environment; the servers check no signature.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "RCLONE_CONFIG": "/dev/null",
    "RCLONE_S3_PROVIDER": "Other",
    "RCLONE_S3_ENV_AUTH": "true",
    "RCLONE_S3_NO_CHECK_BUCKET": "true",
    "no_proxy": "*",
}

NGINX = """
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream; keepalive_requests 100000;
  client_body_temp_path {folder}/nginx; proxy_temp_path {folder}/nginx; fastcgi_temp_path {folder}/nginx;
  uwsgi_temp_path {folder}/nginx; scgi_temp_path {folder}/nginx;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; location ~ ^/bucket/?$ {{ default_type application/xml; try_files /list.xml =404; }} }}
}}
"""


def listing(keys):
    """What ListObjectsV2 answers for these keys and sizes."""
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;none&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, size in keys
    )
    return (
        f"<ListBucketResult><Name>bucket</Name><KeyCount>{len(keys)}</KeyCount><MaxKeys>{len(keys)}</MaxKeys>"
        f"<IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    )


def nginx(folder, port, _env):
    """The file `source` as /bucket/source, and small objects as /bucket/small/N."""
    small = folder / "www/bucket/small"
    small.mkdir(parents=True)
    for number in range(OBJECTS):
        (small / str(number)).write_bytes(os.urandom(4096))
    if (folder / "source").exists():
        os.link(folder / "source", folder / "www/bucket/source")
    (folder / "www/list.xml").write_text(listing([(f"small/{number}", 4096) for number in range(OBJECTS)]))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, user=user))
    return ["nginx", "-e", folder / "nginx.log", "-c", folder / "nginx.conf"]


def sink(_folder, port, _env):
    return [sys.executable, "-B", HERE / "s3_sink.py", port]


def blob(layout, content):
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def image(layout, size):
    """A layout with an image of layers that are as large as the source together, and can't be compressed."""
    (layout / "blobs/sha256").mkdir(parents=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    layers, contents = [], []
    for _ in range(LAYERS):
        content = os.urandom(size // LAYERS)
        contents.append("sha256:" + hashlib.sha256(content).hexdigest())
        packed = blob(layout, gzip.compress(content, compresslevel=1, mtime=0))
        layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **packed})
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": contents}}
    config = blob(layout, json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    manifest["config"] = {"mediaType": "application/vnd.oci.image.config.v1+json", **config}
    manifest = blob(layout, json.dumps(manifest | {"layers": layers}).encode())
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def registry(folder, port, _env):
    (folder / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/www}}}}\n"
        f'http: {{addr: "127.0.0.1:{port}"}}\n'
    )
    return ["docker-registry", "serve", folder / "registry.yml"]


def fill_registry(folder, port, env):
    image(folder / "image", (folder / "source").stat().st_size)
    push = ["leat", "image", "copy", "oci:image:1", f"docker://127.0.0.1:{port}/bench:1"]
    pushed = subprocess.run(push, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if pushed.returncode != 0:
        raise NotHere(f"the image can't be pushed: {pushed.stderr.strip()}")
    shutil.rmtree(folder / "image")


SERVERS = {"nginx": (nginx, None), "s3 sink": (sink, None), "registry": (registry, fill_registry)}


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
        return True
    except OSError:
        return False


class Server:
    """`name` of SERVERS, which serves `folder` at the port."""

    def __init__(self, name, folder, port, env):
        prepare, fill = SERVERS[name]
        self.folder = folder
        self.process = None
        command = [str(word) for word in prepare(folder, port, env)]
        if not shutil.which(command[0], path=f"{env['PATH']}:/usr/sbin"):
            raise NotHere(f"{command[0]} is not installed")
        command[0] = shutil.which(command[0], path=f"{env['PATH']}:/usr/sbin")
        try:
            self.process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            end = time.monotonic() + SECONDS
            while not answers(port):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise NotHere(f"{command[0]} does not answer")
                time.sleep(0.02)
            if fill:
                fill(folder, port, env)
        except NotHere:
            self.stop()
            raise

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder / "www", ignore_errors=True)
