# SPDX-License-Identifier: MIT
"""A store that looks at signatures (AWS, version 4), and endpoints that give credentials which end.

`Keys` has the credentials that are valid; `start(keys)` is the store of faulty_s3.py behind a look at the signature, and
`start_endpoint(keys)` says new credentials: as that of a container at /container, as that of an instance at /latest/...
Both are on loopback and on threads.
"""
import datetime
import hashlib
import hmac
import http.server
import json
import threading
import time

import faulty_s3


class Keys:
    def __init__(self):
        self.lock = threading.Lock()
        self.known = {}    # key: (secret, token, end in seconds since 1970, or None)
        self.given = 0     # by the endpoint
        self.life = 3600   # seconds of what is given next
        self.log = []      # what the endpoint was asked for
        self.fault = ""    # of the endpoint: "hang", "status", "garbage", "norole"
        self.used = set()  # keys that signed something
        self.skew = 0      # seconds by which the store's clock is ahead
        self.dates = True  # answers have it
        self.stubborn = False  # any time is refused

    def add(self, life=None):
        with self.lock:
            n = len(self.known)
            key, secret, token = f"KEY{n}", f"secret/{n}+", f"token/{n}=="
            self.known[key] = secret, token, None if life is None else time.time() + life
            return key, secret, token

    def answer(self, token_name="Token"):
        life = self.life
        key, secret, token = self.add(life)
        self.given += 1
        end = datetime.datetime.utcfromtimestamp(time.time() + life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Code": "Success", "AccessKeyId": key, "SecretAccessKey": secret, token_name: token, "Expiration": end}


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Connection(faulty_s3.Connection):
    def answer_request(self):
        code = self.judge()
        if code:
            self.body_comes()
            return self.refuse(400 if code == "ExpiredToken" else 403, code)
        return super().answer_request()

    def now(self):
        return time.time() + self.server.keys.skew

    def say(self, status, body=b"", **headers):
        if self.server.keys.dates:
            headers["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.now()))
        super().say(status, body, **headers)

    def judge(self):
        """What is wrong with the signature, or None."""
        kind, _, rest = self.headers.get("authorization", "").partition(" ")
        if kind != "AWS4-HMAC-SHA256":
            return "AccessDenied"
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        key, day, region, service, _ = fields["Credential"].split("/")
        secret, token, end = self.server.keys.known.get(key, (None, None, None))
        if secret is None:
            return "InvalidAccessKeyId"
        if region != self.server.region or token != self.headers.get("x-amz-security-token"):
            return "InvalidToken"
        names = fields["SignedHeaders"].split(";")
        path, _, query = self.target.partition("?")
        canonical = "\n".join([self.method, path, query, *(f"{n}:{' '.join(self.headers[n].split())}" for n in names), "",
                               ";".join(names), self.headers["x-amz-content-sha256"]])
        scope = f"{day}/{region}/{service}/aws4_request"
        text = "\n".join([kind, self.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signing = ("AWS4" + secret).encode()
        for link in (day, region, service, "aws4_request"):
            signing = mac(signing, link)
        if not hmac.compare_digest(mac(signing, text).hex(), fields["Signature"]):
            return "SignatureDoesNotMatch"
        if end is not None and end < time.time():
            return "ExpiredToken"
        signed = datetime.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%S%z").timestamp()
        if abs(signed - self.now()) > 900 or self.server.keys.stubborn:
            return "RequestTimeTooSkewed"
        self.server.keys.used.add(key)
        return None


def start(keys, region="us-east-1"):
    server = faulty_s3.Server(("127.0.0.1", 0), Connection)
    server.store, server.keys, server.region = faulty_s3.Store(), keys, region
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Endpoint(http.server.BaseHTTPRequestHandler):
    ROLES = "/latest/meta-data/iam/security-credentials/"

    def log_message(self, *_):
        pass

    def say(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def comes(self):
        keys = self.server.keys
        keys.log.append(f"{self.command} {self.path}")
        if keys.fault == "hang":
            return time.sleep(5)
        if keys.fault == "status":
            return self.say(500)
        if keys.fault == "garbage":
            return self.say(200, b'{"AccessKeyId": "x"')
        if self.command == "PUT":
            ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            return self.say(200, b"a token") if self.path == "/latest/api/token" and ttl else self.say(400)
        if self.path == "/container":
            if self.headers.get("Authorization") != "let me in":
                return self.say(401)
        elif self.headers.get("X-aws-ec2-metadata-token") != "a token":
            return self.say(401)
        elif self.path == self.ROLES:
            return self.say(404) if keys.fault == "norole" else self.say(200, b"the+role\n")
        elif self.path != self.ROLES + "the+role":
            return self.say(404)
        return self.say(200, json.dumps(keys.answer()).encode())

    do_GET = do_PUT = comes


def start_endpoint(keys):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    server.keys = keys
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
