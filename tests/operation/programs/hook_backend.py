"""A back end for hooks, as operators of SRS write it.

    python3 hook_backend.py PORT MODE_FILE SECRET_FILE

Prints its port, and then one JSON line for each request. The first word of the mode file says how it answers; further
ones are addresses for on_forward. The signature is checked by Python's own HMAC.
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, MODE, SECRET = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LOCK = threading.Lock()


def is_signed(headers, body):
    with open(SECRET, encoding="ascii") as file:
        key = base64.b64decode(file.read().strip().removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    recent = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return recent and wanted in headers["webhook-signature"].split(" ")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(MODE, encoding="ascii") as file:
            mode, *words = file.read().split()
        line = {
            "path": self.path,
            "connection": id(self.connection),
            "id": self.headers["webhook-id"],
            "type": self.headers["Content-Type"],
            "signed": is_signed(self.headers, body),
            "mode": mode,
            "body": json.loads(body),
        }
        with LOCK:
            print(json.dumps(line), flush=True)
        self.answer(mode, words)

    def answer(self, mode, words):
        if mode == "never":
            time.sleep(3600)
        if mode == "close":
            self.close_connection = True
            return
        status, text, headers = 200, mode, {}
        if mode == "object":
            text = '{"code": 0, "data": {}}'
        elif mode == "forward":
            text = json.dumps({"code": 0, "data": {"urls": words}})
        elif mode == "denied":
            text = '{"code": 403}'
        elif mode == "500":
            status = 500
        elif mode == "redirect":
            status, headers = 302, {"Location": "/elsewhere"}
        elif mode == "huge":
            text = "0" * (1 << 20)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text.encode())
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


server = Server(("127.0.0.1", PORT), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
