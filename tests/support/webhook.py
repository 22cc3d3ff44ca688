"""An HTTP server that a broker calls."""

import hashlib
import hmac
import http.server
import json
import threading


class Webhook:
    """Keeps what was POSTed, and answers with `answers` in turn: a status, or a status and a body; then with the last one.

    Each request is (headers with lower-case names, body).
    """

    def __init__(self, *answers):
        self.answers, self.requests = list(answers) or [200], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                status, text = answer if isinstance(answer, tuple) else (answer, "")
                text = text(json.loads(body)) if callable(text) else text
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                if status // 100 == 3:
                    self.send_header("location", outer.url)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def signed_by(secret, headers, body):
    """Whether the body was signed with `secret`, as docs/operating.md says."""
    at, signature = (part.split("=", 1)[1] for part in headers["tidegate-signature"].split(","))
    expected = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, expected)
