# SPDX-License-Identifier: MIT
"""A store that breaks its word: enough of S3 to put objects, whole and in parts, in memory, on loopback.

Bodies are compared with what their requests say of them: x-amz-content-sha256, x-amz-checksum-sha256, Content-MD5.
Signatures are not looked at. The bucket names the fault, FAULT[.N]; each key has its own counters:

  good                 none
  status.N             the first two requests of each kind are answered with the status N
  denied.N             the part with the number N, or an object that is put whole with N 0, is refused with 403
  early                an object that is put whole is refused with 403 before its body is read
  eat.N                the first connection that sends a body breaks after N bytes of it
  cut.N                the first connection of each kind breaks after N bytes of its answer: what was asked for is done
  error200             the first completion is answered with 200 and an error that passes
  never200             every completion is answered with 200 and an error that does not pass
  flip                 a bit of each body is changed before it is stored, and checksums are not compared
  othersize            HEAD says another size of an object that was made of parts
  otheretag            HEAD says another ETag of it
  unconditional        If-None-Match is ignored, and HEAD says at first that the object does not exist
  race                 the object is made by another writer before the first conditional request
  silent               an object or a part that is put gets no answer
  old.N                uploads are N hours older than they are
  pages.N              lists have N entries a page
  circle               each page of a list leads to itself
  silentcode           lists encode keys, and do not say so
  nocode               lists do not encode keys, though they are asked to
  keeps                an upload can't be aborted: 403
  hangs                the completion of an upload gets no answer
  deaf                 an upload that is aborted gets no answer, and stays
  mute                 the creation of an upload gets no answer
  forgets              the first completion or object that is put whole breaks after its body: it is not made, its upload is
                       gone, and another writer's object of this size is there, which is encrypted
  lost                 a completion, or an object that is put whole, is done, and its answer is lost
  nohead               HEAD gets no answer: the connection breaks
  headhangs            HEAD gets no answer
  slow.N               each HEAD, completion and object that is put whole is answered after N tenths of a second
  secret               an object is encrypted with the key that comes with it, which each request has to show
  sums                 checksums are kept with the object, answers have them, and a completion by SHA-256 has to name those
                       of the parts; the other stores keep none, and refuse such a completion as swift does
  badsums              answers have another one than is kept
  nouploadid           the answer to the creation of an upload is no XML
"""
import hashlib
import base64
import functools
import html
import socketserver
import threading
import time
import urllib.parse


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}   # (bucket, key): (bytes, etag)
        self.uploads = {}   # id: (bucket, key, {number: bytes})
        self.begun = {}     # id: seconds
        self.counts = {}
        self.log = []       # (bucket, key, kind)
        self.arrived = []   # the same, once the body is there
        self.hook = None    # is called with the connection and a moment: "begins", "came", "done", "answered"
        self.names = 0
        self.keys = {}      # (bucket, key): what its customer says of encryption
        self.sums = {}      # (bucket, key) of an object, or an upload: (kind, base64)


def md5(data):
    return hashlib.md5(data).hexdigest()


def etag_of_parts(parts):
    return hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest() + f"-{len(parts)}"


CRCS = {"crc32": (0xEDB88320, 4), "crc32c": (0x82F63B78, 4), "crc64nvme": (0x9A6C9329AC4BC9B5, 8)}


@functools.cache
def crc_table(polynomial):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


def crc(kind, data):
    """In base64."""
    polynomial, size = CRCS[kind]
    table = crc_table(polynomial)
    ones = value = (1 << 8 * size) - 1
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 255]
    return base64.b64encode((value ^ ones).to_bytes(size, "big")).decode()


class Broken(Exception):
    pass


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while self.request_comes():
                pass
        except (Broken, OSError):
            pass

    def request_comes(self):
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        self.headers = {}
        while (text := self.rfile.readline().decode("latin-1").strip()):
            name, _, value = text.partition(":")
            self.headers[name.lower()] = value.strip()
        self.method, self.target = line[0], line[1]
        path, _, query = line[1].partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.bucket, _, self.key = urllib.parse.unquote_to_bytes(path).decode("utf-8", "surrogateescape")[1:].partition("/")
        self.fault, _, number = self.bucket.partition(".")
        self.number = int(number or 0)
        self.kind = (self.method if not self.query else "create" if "uploads" in self.query and self.method == "POST"
                     else "uploads" if "uploads" in self.query
                     else "list" if "list-type" in self.query
                     else "parts" if self.method == "GET" and "uploadId" in self.query
                     else "part" + self.query["partNumber"] if "partNumber" in self.query
                     else {"POST": "complete", "DELETE": "abort"}.get(self.method, self.method))
        self.answer_request()
        return True

    @property
    def store(self):
        return self.server.store

    def count(self, what):
        with self.store.lock:
            place = (self.bucket, self.key, what)
            self.store.counts[place] = self.store.counts.get(place, 0) + 1
            return self.store.counts[place]

    def moment(self, name):
        if self.store.hook:
            self.store.hook(self, name)

    def say(self, status, body=b"", **headers):
        self.moment("done")
        length = headers.pop("length", len(body))
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {length}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        whole = ("\r\n".join(lines) + "\r\n\r\n").encode() + (b"" if self.method == "HEAD" else body)
        if self.fault == "cut" and self.count("cut " + self.kind) == 1:
            self.wfile.write(whole[:self.number])
            raise Broken
        self.wfile.write(whole)
        self.wfile.flush()
        self.moment("answered")

    def refuse(self, status, code):
        self.say(status, f"<Error><Code>{code}</Code><Message>Refused</Message></Error>".encode())

    def body_comes(self):
        length = int(self.headers.get("content-length", 0))
        if self.headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length and self.fault == "eat" and self.count("eat") == 1:
            self.rfile.read(self.number)
            raise Broken
        body = self.rfile.read(length)
        if len(body) < length:
            raise Broken
        return body

    def is_whole(self, body):
        says = self.headers
        return (says.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD") in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())
                and says.get("x-amz-checksum-sha256") in (None, base64.b64encode(hashlib.sha256(body).digest()).decode())
                and all(says[f"x-amz-checksum-{kind}"] == crc(kind, body) for kind in CRCS if f"x-amz-checksum-{kind}" in says and self.kind != "complete")
                and says.get("content-md5") in (None, base64.b64encode(hashlib.md5(body).digest()).decode()))

    def sum(self):
        """The checksum of the body that the request says: (kind, base64), or None."""
        return next(((kind, self.headers[f"x-amz-checksum-{kind}"]) for kind in (*CRCS, "sha256") if f"x-amz-checksum-{kind}" in self.headers), None)

    def keep_sum(self, place, sum):
        if sum:
            self.store.sums[place] = sum

    def say_secret(self):
        return {"x_amz_server_side_encryption_customer_algorithm": "AES256"} if self.fault == "secret" else {}

    def say_sum(self, sum):
        """The headers of an answer that has it."""
        if not sum or self.fault not in ("sums", "badsums"):
            return {}
        kind, value = sum
        if self.fault == "badsums":
            value = ("B" if value[0] == "A" else "A") + value[1:]
        return {f"x_amz_checksum_{kind}": value}

    def answer_request(self):
        with self.store.lock:
            self.store.log.append((self.bucket, self.key, self.kind))
        if self.fault == "early" and self.kind == "PUT":
            self.refuse(403, "AccessDenied")
            raise Broken
        self.moment("begins")
        body = self.body_comes()
        with self.store.lock:
            self.store.arrived.append((self.bucket, self.key, self.kind))
        self.moment("came")
        if self.fault == "silent" and (self.kind == "PUT" or self.kind.startswith("part")) and self.kind != "parts":
            self.rfile.read(1)
            raise Broken
        if (self.fault, self.kind) in (("deaf", "abort"), ("mute", "create")):
            self.rfile.read(1)
            return False
        if self.fault == "hangs" and self.kind == "complete":
            self.rfile.read(1)
            raise Broken
        if self.kind == "HEAD" and self.fault in ("nohead", "headhangs"):
            self.rfile.read(self.fault == "headhangs")
            raise Broken
        if self.fault == "forgets" and self.kind in ("PUT", "complete") and self.count("forgets") == 1:
            with self.store.lock:
                upload = self.store.uploads.pop(self.query.get("uploadId"), None)
                theirs = bytes(sum(map(len, upload[2].values())) if upload else len(body))
                self.store.objects[self.bucket, self.key] = theirs, md5(theirs)
            raise Broken
        if self.fault == "slow" and self.kind in ("HEAD", "complete", "PUT"):
            time.sleep(self.number / 10)
        if self.fault == "status" and self.count(self.kind) <= 2:
            return self.refuse(self.number, "Passing")
        if self.fault == "secret" and self.kind not in ("abort", "DELETE"):
            key = tuple(self.headers.get(f"x-amz-server-side-encryption-customer-{name}") for name in ("algorithm", "key", "key-md5"))
            with self.store.lock:
                kept = self.store.keys.setdefault((self.bucket, self.key), key)
            if None in key or kept != key:
                return self.refuse(400 if self.method != "GET" else 403, "InvalidRequest")
        if self.fault == "denied" and self.kind in ("PUT" if self.number == 0 else "", f"part{self.number}"):
            return self.refuse(403, "AccessDenied")
        if self.fault == "flip" and body and self.kind != "complete":
            body = bytes([body[0] ^ 1]) + body[1:]
        elif not self.is_whole(body):
            return self.refuse(400, "BadDigest")
        kind = "part" if self.kind.startswith("part") and self.kind != "parts" else self.kind
        return getattr(self, "do_" + kind.lower())(body)

    def is_refused(self):
        """A condition that does not hold."""
        if "if-none-match" not in self.headers or self.fault == "unconditional":
            return False
        with self.store.lock:
            if self.fault == "race":
                self.store.objects.setdefault((self.bucket, self.key), (b"theirs", md5(b"theirs")))
            exists = (self.bucket, self.key) in self.store.objects
        if exists:
            self.refuse(412, "PreconditionFailed")
        return exists

    def do_put(self, body):
        if self.is_refused():
            return
        with self.store.lock:
            self.store.objects[self.bucket, self.key] = body, md5(body)
            self.keep_sum((self.bucket, self.key), self.sum())
        if self.fault == "lost":
            raise Broken
        self.say(200, ETag=f'"{md5(body)}"', **self.say_sum(self.sum()), **self.say_secret())

    def do_create(self, _):
        with self.store.lock:
            self.store.names += 1
            name = f"upload/+{self.store.names}"
            if self.fault != "nouploadid":
                self.store.uploads[name] = self.bucket, self.key, {}
                self.store.begun[name] = time.time() - (self.number * 3600 if self.fault == "old" else 0)
        self.say(200, b"garbage" if self.fault == "nouploadid" else
                 f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>".encode())

    def do_part(self, body):
        with self.store.lock:
            upload = self.store.uploads.get(self.query["uploadId"])
            if upload:
                upload[2][int(self.query["partNumber"])] = body
        if upload:
            self.say(200, ETag=f'"{md5(body)}"', **(self.say_sum(self.sum()) if self.fault == "sums" else {}))
        else:
            self.refuse(404, "NoSuchUpload")

    def list_sum(self, part):
        if self.fault != "sums":
            return ""
        return f"<ChecksumSHA256>{base64.b64encode(hashlib.sha256(part).digest()).decode()}</ChecksumSHA256>"

    def do_parts(self, _):
        with self.store.lock:
            upload = self.store.uploads.get(self.query["uploadId"])
            found = sorted(n for n in upload[2] if n > int(self.query.get("part-number-marker", 0))) if upload else []
            page = found[:self.number if self.fault == "pages" else 1000]
            text = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>&quot;{md5(upload[2][n])}&quot;</ETag>"
                           f"<Size>{len(upload[2][n])}</Size>{self.list_sum(upload[2][n])}</Part>" for n in page)
        if len(page) < len(found):
            text += f"<IsTruncated>true</IsTruncated><NextPartNumberMarker>{page[-1]}</NextPartNumberMarker>"
        if upload:
            self.say(200, f"<ListPartsResult>{text}</ListPartsResult>".encode())
        else:
            self.refuse(404, "NoSuchUpload")

    def do_complete(self, body):
        if self.fault == "never200" or (self.fault == "error200" and self.count("complete") == 1):
            return self.refuse(200, "InternalError" if self.fault == "error200" else "AccessDenied")
        if self.is_refused():
            return
        sums, wanted = body.count(b"<ChecksumSHA256>"), body.count(b"<Part>") if self.fault == "sums" and not self.sum() else 0
        if sums != wanted:
            return self.refuse(400, "MalformedXML" if sums else "InvalidRequest")
        with self.store.lock:
            upload = self.store.uploads.get(self.query["uploadId"])
            parts = upload and [upload[2][number] for number in sorted(upload[2])]
            whole = self.sum()
            if upload and whole and (self.headers.get("x-amz-checksum-type") != "FULL_OBJECT" or crc(whole[0], b"".join(parts)) != whole[1]):
                parts = []
            good = upload and body.count(b"<Part>") == len(parts) and all(md5(part).encode() in body for part in parts)
            if good:
                del self.store.uploads[self.query["uploadId"]]
                self.store.objects[self.bucket, self.key] = b"".join(parts), etag_of_parts(parts)
                self.keep_sum((self.bucket, self.key), whole)
        if self.fault == "lost" and good:
            raise Broken
        if not upload:
            self.refuse(404, "NoSuchUpload")
        elif not good:
            self.refuse(400, "InvalidPart")
        else:
            self.say(200, b"<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>")

    def do_uploads(self, _):
        quote = urllib.parse.quote_plus if self.query.get("encoding-type") == "url" and self.fault != "nocode" else html.escape
        marker = self.query.get("key-marker", ""), self.query.get("upload-id-marker", "")
        with self.store.lock:
            found = sorted((key, name, self.store.begun[name]) for name, (bucket, key, _) in self.store.uploads.items()
                           if bucket == self.bucket and key.startswith(self.query.get("prefix", "")))
        if self.fault != "circle":
            found = [upload for upload in found if upload[:2] > marker]
        page = found[:self.number if self.fault == "pages" else int(self.query.get("max-uploads", 1000))]
        text = "".join(f"<Upload><Key>{quote(key)}</Key><UploadId>{html.escape(name)}</UploadId>"
                       f"<Initiated>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(begun))}</Initiated></Upload>"
                       for key, name, begun in page)
        if page and (len(page) < len(found) or self.fault == "circle"):
            text += (f"<IsTruncated>true</IsTruncated><NextKeyMarker>{quote(page[-1][0])}</NextKeyMarker>"
                     f"<NextUploadIdMarker>{html.escape(page[-1][1])}</NextUploadIdMarker>")
        if "encoding-type" in self.query and self.fault not in ("silentcode", "nocode"):
            text += "<EncodingType>url</EncodingType>"
        self.say(200, f"<ListMultipartUploadsResult>{text}</ListMultipartUploadsResult>".encode())

    def do_list(self, _):
        quote = urllib.parse.quote_plus if self.query.get("encoding-type") == "url" and self.fault != "nocode" else html.escape
        after = "" if self.fault == "circle" else self.query.get("continuation-token", "")
        with self.store.lock:
            found = sorted((key, len(data), etag) for (bucket, key), (data, etag) in self.store.objects.items()
                           if bucket == self.bucket and key.startswith(self.query.get("prefix", "")) and key > after)
        page = found[:self.number if self.fault == "pages" else 1000]
        text = "".join(f"<Contents><Key>{quote(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
                       f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size></Contents>" for key, size, etag in page)
        if page and (len(page) < len(found) or self.fault == "circle"):
            text += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{html.escape(page[-1][0])}</NextContinuationToken>"
        if "encoding-type" in self.query and self.fault not in ("silentcode", "nocode"):
            text += "<EncodingType>url</EncodingType>"
        self.say(200, f"<ListBucketResult>{text}</ListBucketResult>".encode())

    def do_abort(self, _):
        if self.fault == "keeps":
            return self.refuse(403, "AccessDenied")
        with self.store.lock:
            known = self.store.uploads.pop(self.query["uploadId"], None)
        if known:
            self.say(204)
        else:
            self.refuse(404, "NoSuchUpload")

    def do_head(self, _):
        if not self.key: # the bucket
            return self.say(200)
        with self.store.lock:
            data, etag = self.store.objects.get((self.bucket, self.key), (None, None))
        if data is None or (self.fault == "unconditional" and self.count("HEAD") == 1):
            return self.say(404)
        if self.fault == "otheretag":
            etag = md5(b"") + etag[32:]
        secret = {"x_amz_server_side_encryption": "aws:kms"} if self.fault == "forgets" else {}
        sum = self.store.sums.get((self.bucket, self.key)) if self.headers.get("x-amz-checksum-mode") == "ENABLED" else None
        self.say(200, length=len(data) + (self.fault == "othersize"), ETag=f'"{etag}"', **secret, **self.say_sum(sum))

    def do_get(self, _):
        with self.store.lock:
            data, etag = self.store.objects.get((self.bucket, self.key), (None, None))
        if data is None:
            return self.refuse(404, "NoSuchKey")
        self.say(200, data, ETag=f'"{etag}"', **self.say_secret())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def start():
    """The server, on a thread: server.store, and its URL in server.url."""
    server = Server(("127.0.0.1", 0), Connection)
    server.store = Store()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":  # serves until it is killed; prints its URL
    print(start().url, flush=True)
    threading.Event().wait()
