# SPDX-License-Identifier: MIT
"""HTTP servers of the tests that send to each other and note what they are asked: (server, method, path, headers).

`Place(name, body)` is one on loopback, with `url`, `port` and `asked`; all places share `objects`, what was put. `tls`: a
file of certificates, its key, and one of authorities for clients, whose certificate is then among the headers as
"certificate". Paths, where REST begins with a slash:
  /to/STATUS/NAME/REST     sends to the place with this name
  /by/STATUS/HEADER        answers STATUS with "Location: HEADER", in which %XX is decoded
  /hops/N/REST             sends to /hops/N-1/REST, and at 0 to REST
  /once/NAME/REST          sends to /signed/K/REST at that place, K another one each time
  /signed/K/REST           REST for one request with this K, then 403
  /login/REST              REST with this user and password alone, else 401
  /cut/N/REST              of GET: the connection breaks behind N bytes
else it is the object: GET, HEAD and ranges with If-Match, and PUT, which answers before the body if it is sent elsewhere.
"""
import base64
import http.server
import ssl
import threading
import urllib.parse

PASSWORD = "p@ss+%w"
LOGIN = "Basic " + base64.b64encode(b"user:" + PASSWORD.encode()).decode()
places = {}
objects = {}
asked = []
keys = iter(range(1, 1_000_000))
used = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, *headers, body=b""):
        self.send_response(status)
        for header in headers:
            self.send_header(*header.split(": ", 1))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def take_body(self):
        """What was put; as it is not asked for before, an answer that sends elsewhere closes the connection."""
        n = int(self.headers.get("content-length", 0))
        if self.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(n)

    def handle_expect_100(self):
        return True

    def act(self):
        place = self.server.place
        headers = {k.lower(): v for k, v in self.headers.items()}
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        if certificate:
            headers["certificate"] = str(certificate["subject"])
        asked.append((place.name, self.command, self.path, headers))
        self.serve(self.path)

    do_GET = do_HEAD = do_PUT = act

    def send_to(self, status, location):
        if self.command == "PUT" and self.headers.get("expect", "").lower() != "100-continue":
            self.rfile.read(int(self.headers.get("content-length", 0)))
        elif self.command == "PUT":
            self.close_connection = True
        self.say(status, f"Location: {location}", body=b"elsewhere")

    def serve(self, path):
        word, _, rest = path[1:].partition("/")
        if word == "to":
            status, name, rest = rest.split("/", 2)
            self.send_to(int(status), f"{places[name].url}/{rest}")
        elif word == "by":
            status, location = rest.split("/", 1)
            self.send_to(int(status), urllib.parse.unquote(location, "latin-1"))
        elif word == "hops":
            n, rest = rest.split("/", 1)
            self.send_to(302, f"/hops/{int(n) - 1}/{rest}" if int(n) else f"/{rest}")
        elif word == "once":
            name, rest = rest.split("/", 1)
            self.send_to(307, f"{places[name].url}/signed/{next(keys)}/{rest}")
        elif word == "signed":
            key, rest = rest.split("/", 1)
            again = key in used
            used.add(key)
            if again:
                self.say(403)
            else:
                self.serve("/" + rest)
        elif word == "login":
            if self.headers.get("authorization") == LOGIN:
                self.serve("/" + rest)
            else:
                self.say(401, 'WWW-Authenticate: Basic realm="test"')
        elif self.command == "PUT":
            objects[path] = self.take_body()
            self.say(201)
        else:
            self.give(word, rest)

    def give(self, word, rest):
        whole = self.server.place.body
        first, _, last = self.headers.get("range", "bytes=0-")[6:].partition("-")
        first, behind = int(first), int(last) + 1 if last else len(whole)
        if self.headers.get("if-match", '"one"') != '"one"':
            self.say(412)
            return
        part = whole[first:behind]
        self.send_response(206 if "range" in self.headers else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Accept-Ranges", "bytes")
        if "range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(whole)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if word == "cut":
            part = part[:int(rest.split("/")[0])]
            self.close_connection = len(part) < behind - first
        if self.command != "HEAD":
            self.wfile.write(part)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address): # the client has left
        pass


class Place:
    def __init__(self, name, body, tls=None):
        self.name, self.body = name, body
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.place = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls[:2])
            context.load_verify_locations(tls[2])
            context.verify_mode = ssl.CERT_OPTIONAL
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        places[name] = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
