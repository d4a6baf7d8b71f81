# SPDX-License-Identifier: Apache-2.0
"""A real mail server for tests (aiosmtpd) and a real receiver of webhooks, each on a free port of this machine."""
import asyncio
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from certificates import self_signed
from ports import free_port


class MailServer:
    """tls: certificate and key (STARTTLS, required; with from_start TLS before anything is said); login: (user, password), required. refuse: answers
    all mail so, as long as it is set; gone: addresses that are refused; hold: an answer waits for it."""

    def __init__(self, tls=None, from_start=False, login=None):
        self.mails = []
        self.envelopes = []
        self.secure = []
        self.refuse = None
        self.gone = set()
        self.hold = None
        self.login = login
        options = {}
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            options = {"ssl_context": context} if from_start else {"tls_context": context, "require_starttls": True}
        if login:
            options |= {"authenticator": self.authenticate, "auth_required": True, "auth_require_tls": bool(tls) and not from_start}
        self.port = free_port()
        self.options = options
        self.start()

    def start(self):
        self.controller = Controller(self, hostname="localhost", port=self.port, **self.options)
        self.controller.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.login, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.gone:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.hold:
            await asyncio.get_running_loop().run_in_executor(None, self.hold.wait)
        if self.refuse:
            return self.refuse
        self.secure.append(session.ssl is not None or "ssl_context" in self.options)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None


def certificate(folder):
    """A certificate for localhost that is its own authority: (certificate, key)."""
    paths = str(folder / "cert.pem"), str(folder / "key.pem")
    self_signed(*paths)
    return paths


class SilentServer:
    """Takes connections and says nothing."""

    def __init__(self):
        self.socket = socket.create_server(("localhost", 0))
        self.port = self.socket.getsockname()[1]

    def stop(self):
        self.socket.close()


class Hook:
    """Keeps what is posted; answers what is next in answers, then 204."""

    def __init__(self, secret):
        self.posts = []         # (headers, JSON)
        self.bodies = []
        self.answers = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = hmac.new(secret.encode(), self.headers["Pattimpex-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
                assert self.headers["Pattimpex-Signature"] == f"sha256={signed}"
                hook.bodies.append(body)
                hook.posts.append((dict(self.headers), json.loads(body)))
                self.send_response(hook.answers.pop(0) if hook.answers else 204)
                self.end_headers()

            def log_message(self, *arguments):
                pass
        self.server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
