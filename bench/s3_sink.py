# SPDX-License-Identifier: MIT
"""s3_sink.py PORT: a store on loopback that only reads. It speaks as much of S3 as uploads need, keeps no byte, and checks
none. Its ETags are those of a store that encrypts: no client can compare them with an MD5 of its own.
"""
import re
import socket
import sys
import threading

MULTIPART = "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><UploadId>{}</UploadId></InitiateMultipartUploadResult>"
COMPLETED = '<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><ETag>"none"</ETag></CompleteMultipartUploadResult>'
EMPTY = "<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
ENCRYPTED = "x-amz-server-side-encryption: aws:kms\r\n"

sizes = {}  # of each part of an upload and of each object, by path
uploads = {}
lock = threading.Lock()


def take(stream, length, buffer):
    while length > 0:
        got = stream.readinto(memoryview(buffer)[: min(length, len(buffer))])
        if not got:
            return False
        length -= got
    return True


def begin(path):
    with lock:
        name = str(len(uploads) + 1)
        uploads[name] = (path, {})
    return name


def answer(method, target, length):
    """Status, headers and body of one request whose body was read."""
    path, _, query = target.partition("?")
    asked = re.search("uploadId=([0-9]+)", query)
    if method == "POST" and not asked:
        return 200, ENCRYPTED, MULTIPART.format(begin(path))
    if method == "POST":
        path, parts = uploads[asked[1]]
        sizes[path] = sum(parts.values())
        return 200, ENCRYPTED, COMPLETED
    if method == "PUT":
        if asked:
            uploads[asked[1]][1][re.search("partNumber=([0-9]+)", query)[1]] = length
        else:
            sizes[path] = length
        return 200, f'{ENCRYPTED}ETag: "none"\r\n', ""
    if path.strip("/").count("/") == 0 and method in ("HEAD", "GET"):
        return 200, "", EMPTY if method == "GET" else ""
    if method == "HEAD" and path in sizes:
        return 200, f'{ENCRYPTED}ETag: "none"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n', sizes[path]
    if method == "DELETE":
        return 204, "", ""
    return 404, "", ""


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rb", buffering=65536)
    buffer = bytearray(1 << 20)
    while line := stream.readline():
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", 0))
        if not take(stream, length, buffer):
            return
        status, extra, body = answer(method, target, length)
        length = body if isinstance(body, int) else len(body)
        head = f"HTTP/1.1 {status} said\r\n{extra}Content-Length: {length}\r\n\r\n"
        connection.sendall(head.encode() + (b"" if isinstance(body, int) else body.encode()))


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


main()
