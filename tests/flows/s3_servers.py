# SPDX-License-Identifier: Apache-2.0
"""Servers for storages of the type s3, on free ports of the loopback: s3rver, whose objects are plain files, and one that keeps to a script."""
import base64
import contextlib
import email.utils
import hashlib
import hmac
import http.server
import itertools
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

from certificates import self_signed
from lines import LIMIT, Started, as_yaml, with_parent

S3_SERVER = pathlib.Path(__file__).resolve().parents[1] / "s3" / "server.js"
KEY, SECRET = "S3RVER", "S3RVER"


class S3rver(Started):
    """Every file below root is an object of the bucket "files"."""

    def __init__(self, root, *options):
        self.root = pathlib.Path(root)
        self.process = subprocess.Popen(["node", S3_SERVER, root, *options], stdout=subprocess.PIPE, text=True, preexec_fn=with_parent)
        self.port = int(self.process.stdout.readline())         # none: ./dev test installs it
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def settings(self, directory, port=None, **more):
        """A storage on that directory as one line of YAML; the secret is in the environment variable SECRET."""
        return as_yaml({"type": "s3", "endpoint": f"http://127.0.0.1:{port or self.port}", "bucket": "files", "access_key": KEY,
                        "secret_key": '"${SECRET}"', "directory": pathlib.Path(directory).relative_to(self.root), **more})

    def stop(self):
        super().stop()
        self.process.stdout.close()


# ---------------------------------------------------------------- one that keeps to a script

class Fault:
    """What becomes of the next requests that are meant, so many times (None: always)."""

    def __init__(self, method, path, does, times=1, **options):
        self.method, self.path, self.does, self.left, self.options = method, re.compile(path), does, times, options
        self.happened = 0

    def means(self, method, target):
        if self.left == 0 or method != self.method or not self.path.search(target):
            return False
        self.left = self.left and self.left - 1
        self.happened += 1
        return True


class Crowd:
    """Holds parts back until so many of them are on their way at once, or no more can come."""

    def __init__(self, wanted):
        self.wanted, self.inside, self.most, self.changed = wanted, 0, 0, threading.Condition()

    def __enter__(self):
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.most >= self.wanted, LIMIT)

    def __exit__(self, *ignored):
        with self.changed:
            self.inside -= 1


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".123Z"


class Object:
    def __init__(self, body, headers, etag=None):
        self.body, self.headers = body, headers
        self.etag = etag or hashlib.md5(body).hexdigest()
        self.time = time.time() - 60


def signature(secret, handler, scope, names, payload):
    """By the book ("Authenticating Requests"), and by nothing that the program has."""
    path, _, query = handler.path.partition("?")
    query = "&".join(sorted(query.split("&"))) if query else ""
    headers = "".join(f"{name}:{' '.join(handler.headers[name].split())}\n" for name in names)
    canonical = "\n".join([handler.command, path, query, headers, ";".join(names), payload])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", handler.headers["x-amz-date"], "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for word in (*scope, to_sign):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key.hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message="", more="", **headers):
        self.answer(status, f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message or code}</Message>{more}</Error>", **headers)

    # ------------------------------------------------ a request

    def handle_any(self):
        server = self.server.owner
        parts = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        way = urllib.parse.unquote(parts.path).lstrip("/")
        if server.by_host:
            self.key = way
        else:
            _, _, self.key = way.partition("/")
        server.asked.append((self.command, self.path, dict(self.headers.items())))
        for fault in server.faults:
            if fault.means(self.command, urllib.parse.unquote(self.path)):
                return self.play(fault)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return self.serve()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def serve(self, **lies):
        problem = self.unsigned()
        if problem:
            return self.error(403, problem)
        return getattr(self, f"{'object' if self.key else 'bucket'}_{self.command.lower()}")(**lies)

    def unsigned(self):
        server = self.server.owner
        if server.is_public and "Authorization" not in self.headers:
            return None
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(.+),SignedHeaders=(.+),Signature=(.+)", self.headers.get("Authorization", ""))
        if not match:
            return "AccessDenied"
        key, scope, names, given = match.groups()
        if key not in server.secrets:
            return "InvalidAccessKeyId"
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(self.body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        if "Content-MD5" in self.headers and base64.b64decode(self.headers["Content-MD5"]) != hashlib.md5(self.body).digest():
            return "BadDigest"
        if signature(server.secrets[key], self, scope.split("/"), names.split(";"), self.headers["x-amz-content-sha256"]) != given:
            return "SignatureDoesNotMatch"
        return None

    # ------------------------------------------------ faults

    def play(self, fault):
        options = fault.options
        if fault.does == "error":
            if options.get("early"):            # before the body is there
                self.close_connection = True
            else:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return self.error(options["status"], options["code"], options.get("message", ""), options.get("more", ""), **options.get("headers", {}))
        if fault.does == "answer":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return self.answer(options.get("status", 200), options["body"], **options.get("headers", {}))
        if fault.does in ("drop", "stall"):     # after so many bytes of the answer, or of what comes
            if self.command in ("PUT", "POST"):
                self.rfile.read(options["after"])
            else:
                self.body = b""
                whole = self.server.owner.objects[self.key].body
                self.send_response(200)
                self.send_header("Content-Length", str(len(whole)))
                self.end_headers()
                self.wfile.write(whole[:options["after"]])
                self.wfile.flush()
            if fault.does == "stall":
                self.server.owner.released.wait(LIMIT)
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault.does == "lose":                # does it, but nobody hears of it
            self.wfile = open("/dev/null", "wb")
            self.serve()
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self.serve(**options)            # "lie"

    # ------------------------------------------------ the bucket

    def bucket_get(self):
        server = self.server.owner
        if not server.has_bucket:
            return self.error(404, "NoSuchBucket")
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        start = self.query.get("continuation-token", "")
        found = set()           # keys, and common prefixes: both count, in one order
        for key in server.objects:
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if key.startswith(prefix):
                found.add((key[:end + 1], True) if end >= 0 else (key, False))
        found = sorted(name for name in found if name[0] > start)
        size = min(server.page, int(self.query.get("max-keys", 1000)))
        page = found[:size]
        more = len(found) > size
        server.pages += 1
        text = "".join(f"<Contents><Key>{urllib.parse.quote_plus(key, safe='/')}</Key><Size>{len(server.objects[key].body)}</Size>"
                       f"<ETag>&quot;{server.objects[key].etag}&quot;</ETag><LastModified>{stamp(server.objects[key].time)}</LastModified></Contents>"
                       for key, is_folder in page if not is_folder)
        text += "".join(f"<CommonPrefixes><Prefix>{urllib.parse.quote_plus(name, safe='/')}</Prefix></CommonPrefixes>"
                        for name, is_folder in page if is_folder)
        token = f"<NextContinuationToken>{escape(page[-1][0])}</NextContinuationToken>" if more else ""
        return self.answer(200, f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>{token}{text}"
                                "</ListBucketResult>")

    def bucket_put(self):
        self.server.owner.has_bucket = True
        self.server.owner.location = self.body.decode()
        return self.answer(200)

    # ------------------------------------------------ objects

    def found(self):
        server = self.server.owner
        if not server.has_bucket:
            return self.error(404, "NoSuchBucket")
        if self.key not in server.objects:
            return self.error(404, "NoSuchKey")
        return None

    def object_get(self, length=0, weak=False):
        if self.key not in self.server.owner.objects or not self.server.owner.has_bucket:
            return self.found()
        found = self.server.owner.objects[self.key]
        if self.headers.get("If-Match", f'"{found.etag}"') != f'"{found.etag}"':
            return self.error(412, "PreconditionFailed")
        if self.command == "GET":
            with self.server.owner.crowd:
                pass
        return self.answer(200, found.body, **{**found.headers, "ETag": f'{"W/" if weak else ""}"{found.etag}"', "Content-Length": len(found.body) + length,
                                               "Last-Modified": email.utils.formatdate(found.time, usegmt=True)})

    object_head = object_get

    def is_taken(self):
        return self.headers.get("If-None-Match") == "*" and self.key in self.server.owner.objects

    def source(self):
        name = urllib.parse.unquote(self.headers["x-amz-copy-source"]).lstrip("/").partition("/")[2]
        source = self.server.owner.objects.get(name)
        if source is None:
            return self.error(404, "NoSuchKey")
        if self.headers.get("x-amz-copy-source-if-match", f'"{source.etag}"') != f'"{source.etag}"':
            return self.error(412, "PreconditionFailed")
        return source

    def object_put(self):
        server = self.server.owner
        if not server.has_bucket:
            return self.error(404, "NoSuchBucket")
        if self.is_taken():
            return self.error(412, "PreconditionFailed")
        source = self.source() if "x-amz-copy-source" in self.headers else None
        if "x-amz-copy-source" in self.headers and source is None:
            return None
        if "uploadId" in self.query:
            return self.part_put(source)
        with server.crowd:
            pass
        kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "cache-control")}
        etag = server.copies_get and f"{server.copies_get}-{next(server.numbers)}"
        server.objects[self.key] = Object(source.body, source.headers, etag) if source else Object(self.body, kept)
        etag = server.objects[self.key].etag
        return self.answer(200, f"<CopyObjectResult><ETag>&quot;{etag}&quot;</ETag></CopyObjectResult>" if source else b"", ETag=f'"{etag}"')

    def part_put(self, source):
        upload = self.server.owner.uploads.get(self.query["uploadId"])
        if upload is None:
            return self.error(404, "NoSuchUpload")
        first, last = map(int, self.headers["x-amz-copy-source-range"][len("bytes="):].split("-")) if source else (0, 0)
        part = source.body[first:last + 1] if source else self.body
        with self.server.owner.crowd:
            pass
        upload["parts"][int(self.query["partNumber"])] = part
        etag = f'"{hashlib.md5(part).hexdigest()}"'
        return self.answer(200, f"<CopyPartResult><ETag>{escape(etag)}</ETag></CopyPartResult>" if source else b"", ETag=etag)

    def object_post(self):
        server = self.server.owner
        if "uploads" in self.query:
            number = str(next(server.numbers))
            kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "cache-control")}
            server.uploads[number] = {"parts": {}, "headers": kept}
            return self.answer(200, f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>")
        if self.is_taken():
            return self.error(412, "PreconditionFailed")
        upload = server.uploads.pop(self.query["uploadId"])
        named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>&quot;(\w+)&quot;</ETag>", self.body.decode())
        parts = [upload["parts"][int(number)] for number, _ in named]
        assert [etag for _, etag in named] == [hashlib.md5(part).hexdigest() for part in parts]
        server.objects[self.key] = Object(b"".join(parts), upload["headers"], etag=f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}")
        return self.answer(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def object_delete(self):
        if "uploadId" in self.query:
            self.server.owner.uploads.pop(self.query["uploadId"], None)
        else:
            self.server.owner.objects.pop(self.key, None)
        return self.answer(204)


def certified(folder):
    certificate, key = folder / "certificate", folder / "certificate.key"
    self_signed(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request, client_address):
        pass                        # a client that hangs up is part of the play


class Scripted:
    """In threads of this process: objects by their keys, faults as they are asked for, and all that was asked."""

    def __init__(self, by_host=False, tls=None):
        """tls: a folder, where its certificate is made."""
        self.objects, self.uploads, self.faults, self.asked = {}, {}, [], []
        self.secrets = {"shop": "open sesame/+"}
        self.has_bucket, self.page, self.pages, self.by_host, self.location = True, 1000, 0, by_host, ""
        self.numbers = itertools.count(1)
        self.is_public = False
        self.crowd = contextlib.nullcontext()       # of parts, of whole objects that come, and of those that are read
        self.copies_get = None      # what their ETags begin with, where they are not made of the bytes
        self.released = threading.Event()
        self.http = HttpServer(("127.0.0.1", 0), Handler)
        self.http.owner = self
        self.port = self.http.server_address[1]
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            self.http.socket = certified(tls).wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def settings(self, **more):
        """As one line of YAML; a setting of None is left out."""
        return as_yaml({"type": "s3", "endpoint": self.endpoint, "bucket": "shop-bucket", "access_key": "shop", "secret_key": '"${SECRET}"', **more})

    def put(self, key, body):
        self.objects[key] = Object(body.encode() if isinstance(body, str) else body, {"Content-Type": "text/csv"})

    def fails(self, method, path, does="error", **options):
        self.faults.append(Fault(method, path, does, **options))
        return self.faults[-1]

    def tree(self, folder=""):
        return {key: found.body for key, found in self.objects.items() if key.startswith(folder)}

    def requests(self, method):
        return [path for asked, path, _ in self.asked if asked == method]

    def stop(self):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


# ---------------------------------------------------------------- whoever gives out credentials

class Roles:
    """IMDSv2 and the endpoint of containers: one role, whose keys hold so many seconds."""

    def __init__(self, keys, seconds=3600):
        self.keys, self.seconds, self.asked, self.old = keys, seconds, [], False
        roles = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def say(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PUT(self):
                roles.asked.append(f"PUT {self.path}")
                self.say(*((200, "the-token") if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else (400, "")))

            def do_GET(self):
                roles.asked.append(f"GET {self.path}")
                if self.path == "/container":
                    return self.say(200, roles.answer()) if self.headers["Authorization"] == "let me in" else self.say(403, "")
                if self.headers["X-aws-ec2-metadata-token"] != "the-token":
                    return self.say(401, "")
                if self.path.endswith("/security-credentials/"):
                    return self.say(200, "shop role\n")
                return self.say(200, roles.answer()) if self.path.endswith("/shop%20role") else self.say(404, "")

        self.http = HttpServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self):
        access_key, secret_key, token = self.keys
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.seconds))
        return (f'{{"Code": "Success", "AccessKeyId": "{access_key}", "SecretAccessKey": "{secret_key}", "Token": "{token}", '
                f'"Expiration": "{expires}"}}')

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
