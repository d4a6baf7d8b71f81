# SPDX-License-Identifier: Apache-2.0
"""What is secret is in no log, no message, no mail, no post, no table, no title: however the connections fail."""
import base64
import pathlib
import urllib.parse

import pytest
from conftest import BAD, BASE, PROGRAM
from notices import IMPORT, mail_section, make_due
from server import Server, children, until
from sftp_servers import Scripted
from ports import free_port
from smtp import Hook, MailServer, certificate

SECRETS = {"MAIL_PASSWORD": "mail-Zx81-pw", "HOOK_SECRET": "hook-Qq77-key", "HOOK_PATH": "path-Tt55-token", "SFTP_PASSWORD": "sftp-Vv33-pw"}
WRONG = {name: value.replace("-", "-wrong-") for name, value in SECRETS.items()}
LITERAL = "key-Ll99-phrase"
HOST_KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


class Ears:
    """Collects all that anybody gets to see."""

    def __init__(self, project, env):
        self.project, self.env, self.heard = project, env, {}

    def call(self, *arguments):
        done = self.project.call(*arguments, status=None, env=self.env)
        self.heard[" ".join(map(str, arguments))] = done.stdout + done.stderr
        return done

    def look(self):
        for command in (["jobs"], ["jobs", "--json"], ["files", "--json"], ["attachments", "--json"], ["tasks", "--json"], ["status", "--json"],
                        ["check", "--effective"], ["check"], ["--config", "missing.yaml", "check"]):
            self.call(*command)
        self.heard["the database"] = self.project.dump()
        for path in self.project.folder.rglob("*"):
            if path.is_file() and path.name != "pattimpex.yaml" and "key.pem" not in path.name:
                self.heard[str(path.relative_to(self.project.folder))] = path.read_bytes().decode("latin-1")

    def assert_quiet(self):
        secrets = [*SECRETS.values(), *WRONG.values(), LITERAL]
        forms = {form for secret in secrets for form in (secret, base64.b64encode(secret.encode()).decode(), urllib.parse.quote(secret),
                                                        base64.b64encode(f"\0shop\0{secret}".encode()).decode())}
        assert len(self.heard) > 10
        leaks = [(where, form) for where, text in self.heard.items() for form in forms if form in text]
        assert leaks == []


@pytest.fixture
def world(project, tmp_path):
    tls = certificate(tmp_path)
    mail = MailServer(tls=tls, login=("shop", SECRETS["MAIL_PASSWORD"]))
    hook = Hook(SECRETS["HOOK_SECRET"])
    remote = Scripted(project.drop_folder, password=SECRETS["SFTP_PASSWORD"])

    def configure(schedule="", mail_port=None, hook_port=None, sftp_port=None):
        settings = remote.settings(project.drop_folder).replace(f'"{remote.password}"', '"${SFTP_PASSWORD}"')
        if sftp_port:
            settings = settings.replace(str(remote.port), str(sftp_port))
        text = mail_section(mail, f", user: shop, password: '${{MAIL_PASSWORD}}', ca_file: {tls[0]}")
        text += f"webhook: {{url: 'http://localhost:{hook_port or hook.port}/${{HOOK_PATH}}', secret: '${{HOOK_SECRET}}'}}\n"
        text += IMPORT.replace("storage: drop", f"storage: drop, retry: {{tries: 1}}{schedule}")
        text = text.replace(str(mail.port), str(mail_port or mail.port))
        project.config(text, base=BASE.replace("{type: file, directory: drop}", settings).replace(
            "storages:", f"storages:\n  bank: {{type: sftp, host: 127.0.0.1, port: 1, user: shop, password: {LITERAL}, host_key: {HOST_KEY}}}"))
    yield configure, mail, hook
    mail.stop()
    hook.stop()
    remote.stop()


def hear_servers(ears, mail, hook):
    for n, received in enumerate(mail.mails):
        ears.heard[f"mail {n}"] = received.as_string() + "".join(part.get_payload(decode=True).decode() for part in received.walk() if not part.is_multipart())
    for n, (headers, _) in enumerate(hook.posts):
        ears.heard[f"post {n}"] = str(headers) + hook.bodies[n].decode()


def test_all_goes_well(project, world):
    configure, mail, hook = world
    configure()
    ears = Ears(project, SECRETS)
    project.drop("bad.csv", BAD)
    done = ears.call("run")
    assert done.returncode == 1 and len(mail.mails) == 1 and len(hook.posts) == 1, done.stdout + done.stderr
    ears.look()
    hear_servers(ears, mail, hook)
    ears.assert_quiet()


def test_all_logins_are_wrong(project, world):
    configure, mail, hook = world
    configure()
    ears = Ears(project, SECRETS)
    project.drop("bad.csv", BAD)
    ears.env = {**SECRETS, "MAIL_PASSWORD": WRONG["MAIL_PASSWORD"]}
    hook.answers = [500]
    assert ears.call("run").returncode == 1
    ears.env = WRONG
    ears.call("run")
    ears.call("check", "--mail", "ops@x.test")
    ears.call("retry", "job", "--state", "failed", "--yes")
    assert mail.mails == []
    assert [job["state"] for job in jobs_of(project, "fetch")][0] == "failed"
    ears.look()
    hear_servers(ears, mail, hook)
    ears.assert_quiet()


def jobs_of(project, kind):
    return [job for job in project.json("jobs", env=SECRETS) if job["kind"] == kind]


def test_nobody_is_there(project, world):
    configure, mail, hook = world
    configure(mail_port=free_port(), hook_port=free_port(), sftp_port=free_port())
    ears = Ears(project, SECRETS)
    ears.call("run", "--wait", "0")
    for job in jobs_of(project, "notice"):
        make_due(project, job["id"])
    ears.call("run", "--wait", "0")
    ears.call("check", "--mail", "ops@x.test")
    ears.call("check", "--webhook")
    assert all(job["error"] for job in jobs_of(project, "notice"))
    ears.look()
    assert ears.heard["check --effective"].count("***") >= 5
    ears.assert_quiet()


def test_serve_with_servers_that_refuse(project, world):
    configure, mail, hook = world
    configure(schedule=", schedule: every second")
    hook.answers = [500, 404]
    project.drop("bad.csv", BAD)
    ears = Ears(project, {**SECRETS, "MAIL_PASSWORD": WRONG["MAIL_PASSWORD"]})
    with Server(PROGRAM, project.folder, "serve", env=ears.env) as serve:
        serve.told("READY=1")
        serve.logged("notice is tried again later")
        serve.logged("notice failed")
        for pid in [serve.pid, *children(serve.pid)]:
            ears.heard[f"title {pid}"] = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode("latin-1")
    ears.heard["log"] = serve.log_path.read_text()
    assert "localhost" in ears.heard["log"]
    ears.look()
    ears.assert_quiet()
