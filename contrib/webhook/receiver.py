"""A receiver for mxprobe --webhook: checks the signature, passes over what came before, prints the sentence.

    python3 receiver.py SECRETFILE [PORT]        mxprobe --webhook http://127.0.0.1:8025/ --webhook-secret SECRETFILE ...
"""
import hashlib, hmac, http.server, json, sys

secret = open(sys.argv[1], "rb").read().removesuffix(b"\n")
seen = set()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(self.headers.get("X-Mxprobe-Signature", ""), wanted)
        if good and (result := json.loads(body))["id"] not in seen:
            print(result["event"], result["target"], result["text"], flush=True)
            seen.add(result["id"])
        self.send_response(204 if good else 403)  # once it is yours: what gets no 2xx comes again
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8025), Receiver)
print("listening on port", server.server_port, file=sys.stderr, flush=True)
server.serve_forever()
