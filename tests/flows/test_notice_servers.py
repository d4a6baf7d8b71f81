# SPDX-License-Identifier: Apache-2.0
"""Mail servers that are slow, dead, choosy or wrong, and `serve` beside them."""
import signal
import threading

import pytest
from conftest import PROGRAM
from notices import IMPORT, REFUSED, body_of, jobs, mail_section, make_due
from server import Server, until
from smtp import MailServer, SilentServer, certificate

needs_hooks = pytest.mark.skipif("san" not in PROGRAM, reason="needs a build with -Dtest_hooks=true")


@pytest.fixture
def server():
    server = MailServer()
    yield server
    server.stop()


def test_dead_mail_server_blocks_nothing_and_is_tried_again(project, server):
    project.config(mail_section(server) + IMPORT)
    server.refuse = "451 try again later"
    project.drop("a.csv", REFUSED)
    project.drop("b.csv")
    project.call("run", status=1)
    assert "carol@x.test" in project.emails()
    job, = jobs(project, "pending")
    assert "localhost" in job["error"] and "451" in job["error"]
    server.refuse = None
    project.drop("c.csv", REFUSED + "y,y\n")        # joins the next mail, not this one
    make_due(project, job["id"])
    project.call("run", status=1)
    assert len(server.mails) == 1 and "a.csv" in body_of(server.mails[0]) and "c.csv" not in body_of(server.mails[0])
    assert len(jobs(project, "pending")) == 1


def test_mail_server_that_is_not_there_does_not_change_the_exit_status(project, server):
    project.config(mail_section(server) + IMPORT)
    server.stop()
    project.drop("a.csv", REFUSED)
    done = project.call("run", status=1)
    assert len(jobs(project, "pending")) == 1
    assert "notice is tried again later" in done.stdout
    project.call("run", status=0)


def test_refused_mail_is_a_failed_job_and_no_notice_of_its_own(project, server):
    project.config(mail_section(server) + IMPORT)
    server.refuse = "554 we do not take that"
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    assert [job["state"] for job in jobs(project)] == ["failed"]


def test_login_and_certificate(project, tmp_path):
    tls = certificate(tmp_path)
    server = MailServer(tls=tls, login=("shop", "s3cret"))
    try:
        login = ", user: shop, password: '${MAIL_PASSWORD}'"
        project.config(mail_section(server, login + f", ca_file: {tls[0]}") + IMPORT)
        env = {"MAIL_PASSWORD": "s3cret"}
        project.call("check", "--mail", "ops@x.test", env=env)
        assert server.secure == [True] and "They do" in body_of(server.mails[0])
        wrong = project.call("check", "--mail", "ops@x.test", status=2, env={"MAIL_PASSWORD": "wr0ng"})
        assert "wr0ng" not in wrong.stdout + wrong.stderr and "localhost" in wrong.stderr
        project.config(mail_section(server, login) + IMPORT)
        unknown = project.call("check", "--mail", "ops@x.test", status=2, env=env)
        assert "certificate" in unknown.stderr and len(server.mails) == 1
        assert "s3cret" not in project.call("check", "--effective", env=env).stdout
    finally:
        server.stop()


def test_password_is_not_sent_where_there_is_no_tls(project):
    server = MailServer(login=("shop", "s3cret"))
    try:
        project.config(mail_section(server, ", user: shop, password: s3cret") + IMPORT)
        done = project.call("check", "--mail", "ops@x.test", status=2)
        assert "s3cret" not in done.stderr and server.mails == []
        project.config(mail_section(server, ", user: shop, password: s3cret, tls: none") + IMPORT)
        project.call("check", "--mail", "ops@x.test")
        assert len(server.mails) == 1
    finally:
        server.stop()


def test_tls_from_the_start(project, tmp_path):
    tls = certificate(tmp_path)
    server = MailServer(tls=tls, from_start=True, login=("shop", "s3cret"))
    try:
        project.config(mail_section(server, f", user: shop, password: s3cret, ca_file: {tls[0]}", scheme="smtps") + IMPORT)
        project.drop("a.csv", REFUSED)
        project.call("run", status=1)
        assert server.secure == [True] and len(server.mails) == 1
    finally:
        server.stop()


def test_tls_that_is_required_is_not_done_without(project, server):
    project.config(mail_section(server, ", tls: require") + IMPORT)
    project.drop("a.csv", REFUSED)
    done = project.call("run", status=1)
    failed, = jobs(project, "failed")
    assert server.mails == [] and "localhost" in failed["error"] and "notice failed" in done.stdout


def test_one_address_that_is_gone_does_not_keep_the_mail_from_the_others(project, server):
    project.config(mail_section(server) + IMPORT)
    server.gone.add("ops@x.test")
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    assert server.envelopes == [("pattimpex@shop.test", ["boss@x.test"])]


def test_what_happens_behind_a_mail_that_fails_has_a_mail_of_its_own(project, server):
    project.config(mail_section(server) + IMPORT)
    server.refuse = "451 try again later"
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    project.drop("b.csv", REFUSED + "b,b\n")
    project.call("run", status=1)
    job, = jobs(project, "pending")
    server.refuse = "554 we do not take that"
    make_due(project, job["id"])
    project.call("run")
    server.refuse = None
    assert sorted(job["state"] for job in jobs(project)) == ["failed", "failed"], "b.csv had its try"
    project.call("retry", "job", *[job["id"] for job in jobs(project)])
    assert sorted(("a.csv" in body_of(mail), "b.csv" in body_of(mail)) for mail in server.mails) == [(False, True), (True, False)]


# ---- serve

BUSY = """
serve: {workers: 1}
channels: root:1
import_tasks:
  partners-in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, failure_emails: [ops@x.test], schedule: every second}
"""


def test_serve_tells_by_itself(project, server):
    project.config(mail_section(server) + BUSY)
    with Server(PROGRAM, project.folder, "serve") as serve:
        serve.told("READY=1")
        project.drop("a.csv", REFUSED)
        until("the mail", lambda: server.mails)
        line = serve.logged("notice done")
        assert line["worker"] == "notifier" and line["task"] == "partners-in"


def test_server_that_says_nothing_delays_neither_imports_nor_the_end(project):
    silent = SilentServer()
    try:
        project.config(mail_section(silent, ", timeout: 10m") + f"webhook: {{url: 'http://localhost:{silent.port}', secret: s, timeout: 10m}}\n" + BUSY)
        with Server(PROGRAM, project.folder, "serve") as serve:
            serve.told("READY=1")
            project.drop("a.csv", REFUSED)
            until("the notifier is at it", lambda: serve.pids("notifier notice"))
            project.drop("b.csv")
            until("the import beside it", lambda: "carol@x.test" in project.emails())
            serve.tell(signal.SIGTERM)
            assert serve.ends() == 0
            assert not any("did not come to an end" in line["text"] for line in serve.log())
        assert {job["state"] for job in jobs(project)} == {"pending"}, "given back as they were"
    finally:
        silent.stop()


def test_killed_notifier_tells_again_with_the_same_id(project, server):
    project.config(mail_section(server) + BUSY)
    server.hold = threading.Event()
    with Server(PROGRAM, project.folder, "serve") as serve:
        serve.told("READY=1")
        project.drop("a.csv", REFUSED)
        notifier = until("the notifier is at it", lambda: serve.pids("notifier notice"))[0]
        serve.tell(signal.SIGKILL, notifier)
        server.hold.set()
        until("the job is done", lambda: jobs(project, "done"))
        assert 1 <= len(server.mails) <= 2 and len({mail["Message-ID"] for mail in server.mails}) == 1


@needs_hooks
def test_worker_that_dies_twice_is_told_by_serve(project, server):
    project.config(mail_section(server) + BUSY.replace("workers: 1", "workers: 2"))
    with Server(PROGRAM, project.folder, "serve", env={"PATTIMPEX_CRASH_AT": "rows-filled:a.csv"}) as serve:
        serve.told("READY=1")
        project.drop("a.csv")
        until("the mail", lambda: server.mails)
    assert "worker died" in body_of(server.mails[0]) and "a.csv" in body_of(server.mails[0])


def test_webhook_that_answers_nothing_does_not_delay_mail(project, server):
    silent = SilentServer()
    try:
        project.config(mail_section(server) + f"webhook: {{url: 'http://localhost:{silent.port}', secret: s, timeout: 1s}}\n" + IMPORT)
        project.drop("a.csv", REFUSED)
        project.drop("b.csv", REFUSED + "b,b\n")
        project.call("run", status=1)
        assert len(server.mails) == 1 and len(jobs(project, "pending")) == 2
    finally:
        silent.stop()
