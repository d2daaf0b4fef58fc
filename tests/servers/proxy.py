# SPDX-License-Identifier: MIT
"""A proxy of the tests for HTTP, and for TLS by CONNECT: `Proxy()` is on loopback, with `host` and `asked`: (method, target,
headers) of each request. It wants the login "user:open sesame" if `login`, and refuses tunnels by `refuses` if that is not 0."""
import base64
import http.client
import http.server
import select
import socket
import threading
import urllib.parse

LOGIN = "Basic " + base64.b64encode(b"user:open sesame").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def may_go_on(self):
        self.server.proxy.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        refused = 407 if self.server.proxy.login and self.headers.get("proxy-authorization") != LOGIN else 0
        if self.command == "CONNECT":
            refused = refused or self.server.proxy.refuses
        if refused:
            self.send_response(refused)
            self.send_header("Proxy-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        return not refused

    def do_GET(self):
        if not self.may_go_on():
            return
        url = urllib.parse.urlsplit(self.path)
        server = http.client.HTTPConnection(url.netloc)
        kept = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        server.request("GET", urllib.parse.urlunsplit(("", "", *url[2:])), headers=kept)
        answer = server.getresponse()
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut:
            body, self.close_connection = cut.partial, True
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("date", "server", "connection"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self):
        self.close_connection = True
        if not self.may_go_on():
            return
        host, port = self.path.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        self.send_response(200)
        self.end_headers()
        other = {self.connection: server, server: self.connection}
        while True:
            for ready in select.select(list(other), [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    server.close()
                    return
                other[ready].sendall(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address): # the client has left
        pass


class Proxy:
    def __init__(self, login=False, refuses=0):
        self.login, self.refuses, self.asked = login, refuses, []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
