"""Receives events: verifies each post, answers the challenge, and drops what came before."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ.get("WEBHOOK_SECRET") or sys.exit("WEBHOOK_SECRET has to be set."))
seen: set[str] = set()  # a program that restarts keeps these in its database, for two days


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self.answer(411)  # http.server reads no body in chunks
        body = self.rfile.read(int(length))
        try:
            message = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            return self.answer(401)
        if message.get("type") == "verification":
            return self.answer(200, {"challenge": message["challenge"]})
        if self.headers["webhook-id"] not in seen:
            print(json.dumps(message), flush=True)  # your work begins here
            seen.add(self.headers["webhook-id"])
        return self.answer(200)

    def answer(self, status: int, content: object = None) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content or {}).encode())


server = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
print(f"listening on port {server.server_port}", file=sys.stderr)
server.serve_forever()
