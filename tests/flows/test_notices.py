# SPDX-License-Identifier: Apache-2.0
"""Mail and webhook: what is told, to whom, how often, and what happens when nobody listens."""
import pathlib
import shutil
import time

import pytest
from conftest import BAD, BASE
from notices import IMPORT, REFUSED, body_of, execute, jobs, mail_section, make_due
from smtp import Hook, MailServer

@pytest.fixture
def server():
    server = MailServer()
    yield server
    server.stop()


def test_failed_rows_are_mailed_with_the_error_file(project, server):
    project.config(mail_section(server) + IMPORT)
    project.drop("bäd.csv", BAD)
    project.call("run", status=1)
    mail, = server.mails
    assert server.envelopes == [("pattimpex@shop.test", ["ops@x.test", "boss@x.test"])]
    assert mail["To"] == "ops@x.test, boss@x.test" and mail["From"] == "Pattimpex Düsseldorf <pattimpex@shop.test>"
    assert mail["Subject"] == "pattimpex: partners-in: bäd.csv: 2 of 3 rows failed"
    assert mail["Message-ID"].endswith("@shop.test>") and mail["Auto-Submitted"] == "auto-generated" and mail["Date"]
    body = body_of(mail)
    assert "row 3" in body and "XX" in body and "row 4" in body
    assert "https://shop.example.com/pattimpex/files/1" in body
    attached, = mail.iter_attachments()
    assert attached.get_filename() == "bäd.csv"
    lines = attached.get_content().decode().splitlines()
    assert lines[0].startswith("#Error") and any("XX" in line for line in lines)


def test_refused_file_is_mailed_with_the_reason(project, server):
    project.config(mail_section(server) + IMPORT)
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    mail, = server.mails
    assert mail["Subject"] == "pattimpex: partners-in: a.csv was refused"
    assert "nmae" in body_of(mail)
    attached, = mail.iter_attachments()
    assert attached.get_filename() == "a.csv.txt" and "nmae" in attached.get_content().decode()


def test_good_file_is_told_to_nobody(project, server):
    project.config(mail_section(server) + IMPORT)
    project.drop("a.csv")
    project.call("run")
    assert server.mails == [] and jobs(project) == []


def test_flood_is_one_mail_and_a_digest(project, server):
    project.config(mail_section(server, ", digest: 1h") + IMPORT)
    for n in range(5):
        project.drop(f"{n}.csv", REFUSED + f"{n},{n}\n")
    project.call("run", status=1)
    for n in range(5, 8):
        project.drop(f"{n}.csv", REFUSED + f"{n},{n}\n")
        project.call("run", status=1)
    first, = server.mails
    waiting, = jobs(project, "pending")
    make_due(project, waiting["id"])
    project.call("run", status=0)
    first, digest = server.mails
    assert [mail["Subject"] for mail in server.mails] == ["pattimpex: partners-in: 5 notices", "pattimpex: partners-in: 3 notices"]
    assert all((f"{n}.csv" in body_of(first)) == (n < 5) and (f"{n}.csv" in body_of(digest)) == (n >= 5) for n in range(8))
    assert first["Message-ID"] != digest["Message-ID"]
    assert jobs(project, "pending") == []


def test_files_that_cannot_be_taken_are_told_once_a_day(project, server):
    project.config(mail_section(server, ", digest: 1h") + IMPORT)
    (project.drop_folder / "in" / "link.csv").symlink_to("/etc/hostname")
    for _ in range(2):
        project.call("run", status=1)
    mail, = server.mails
    assert mail["Subject"].startswith("pattimpex: partners-in: link.csv: not taken: ") and "symbolic link" in body_of(mail)
    assert "https://shop.example.com/pattimpex/tasks/partners-in" in body_of(mail) and jobs(project, "pending") == []
    execute(project, "UPDATE pattimpex_notice SET created = created - 86400000000")
    execute(project, "UPDATE pattimpex_mail SET sent = 1")
    (project.drop_folder / "in" / "other.csv").symlink_to("/etc/hostname")
    project.call("run", status=1)
    assert "2 files could not be taken or put away: link.csv: " in body_of(server.mails[1]) and "other.csv: " in body_of(server.mails[1])
    (project.drop_folder / "in" / "other.csv").unlink()
    execute(project, "UPDATE pattimpex_mail SET sent = 1")
    project.call("run", status=1)
    assert len(server.mails) == 3, "the first again, a day later"


def test_file_that_our_disk_has_no_room_for_is_told_and_taken_later(project, server):
    project.config(mail_section(server, ", digest: 1h") + IMPORT)
    rows = [f"{n}@big.test,{n},{'x' * 10_000}" for n in range(300)]
    project.drop("big.csv", "\n".join(["email#key,name,#note", *rows]) + "\n")
    project.drop("small.csv")
    done = project.call("run", status=1, largest_file=2 * 1024 * 1024)
    assert "cannot write: File too large; make room and run again (the file has 3" in done.stdout and " are free)" in done.stdout
    assert project.names("in") == ["in/big.csv"] and not list((project.folder / "filestore" / "tmp").iterdir())
    mail, = server.mails
    assert mail["Subject"].startswith("pattimpex: partners-in: big.csv: filestore ") and " are free)" in body_of(mail)
    project.call("run")
    assert [row["name"] for row in project.json("attachments", "--kind", "import")] == ["big.csv", "small.csv"] and project.names("in") == []


def test_file_that_cannot_be_put_away_is_told(project):
    hook = Hook("a long secret")
    try:
        project.config(f"webhook: {{url: 'http://localhost:{hook.port}', secret: a long secret}}\n" + IMPORT)
        project.drop("a.csv")
        (project.drop_folder / "done").write_text("a file where the folder should be")
        for _ in range(2):
            project.call("run", status=1)
        told = [notice for _, notice in hook.posts if notice["event"] == "stuck"]
        assert len(told) == 1 and told[0]["task"] == "partners-in" and "a.csv: was taken, but could not be put away" in told[0]["text"]
    finally:
        hook.stop()


def forget_deaths(project):
    """A job that dies twice is given up, which is not what these kills are about."""
    execute(project, "UPDATE pattimpex_job SET deaths = -1")


def test_job_that_kills_its_worker_is_told(project, server):
    project.config(mail_section(server) + IMPORT)
    project.call("tasks", "disable", "partners-in")
    add = ["attachments", "add", "partners-in", project.drop("a.csv", folder="hand")]
    for command, hook in (add, "4"), (["run"], "2"):    # stored, claimed, then killed in the import; the same job again
        assert project.call(*command, status=None, env={"PATTIMPEX_KILL_AT": hook}).returncode == -9
    project.call("run", status=1)
    mail, = server.mails
    assert "a.csv" in body_of(mail) and "died" in body_of(mail)


def test_mail_that_was_sent_by_a_killed_program_is_sent_again_with_the_same_id(project, server, tmp_path):
    project.config(mail_section(server) + IMPORT)
    project.drop("a.csv", REFUSED)
    log = tmp_path / "hooks"
    server.refuse = "451 try again later"
    project.call("run", status=1, env={"PATTIMPEX_HOOK_LOG": str(log)})
    server.refuse = None
    job, = jobs(project, "pending")
    make_due(project, job["id"])
    log.unlink()
    # With no task to run only the notice is left: claimed, collected, sent, committed.
    hooks = ["job-claimed", "notice-collected", "notice-sent", "notice-committed"]
    project.call("tasks", "disable", "partners-in")
    for n in range(1, len(hooks) + 1):
        make_due(project, job["id"])
        assert project.call("run", status=None, env={"PATTIMPEX_HOOK_LOG": str(log), "PATTIMPEX_KILL_AT": str(n)}).returncode == -9
        assert log.read_text().split() == hooks[:n]
        log.unlink()
        forget_deaths(project)
    project.call("run")
    assert len(server.mails) == 2 and len({mail["Message-ID"] for mail in server.mails}) == 1
    assert jobs(project, "pending") == []


def test_no_text_becomes_a_header(project, server):
    project.config(mail_section(server, r', subject: "${what}\r\nBcc: evil@x.test\r\n\r\nX", body: "${task}\r\n.\r\nMAIL FROM: evil"') + IMPORT)
    project.drop("Bcc: evil@x.test – ¡größer!.csv", REFUSED)
    project.call("run", status=1)
    mail, = server.mails
    assert mail["Bcc"] is None and "evil@x.test – ¡größer!" in mail["Subject"] and "\n" not in mail["Subject"]
    assert "MAIL FROM: evil" in body_of(mail) and server.envelopes[0][0] == "pattimpex@shop.test"


def test_what_belongs_to_no_task_goes_to_the_addresses_at_the_top(project, server):
    project.config("failure_emails: [top@x.test]\n" + mail_section(server) + IMPORT)
    project.call("import", "partner", project.drop("hand.csv", BAD, folder="hand"), status=1)
    project.call("run")
    assert server.envelopes == [("pattimpex@shop.test", ["top@x.test"])]
    assert server.mails[0]["Subject"].startswith("pattimpex: by hand: hand.csv")


def test_task_that_cannot_run_is_told(project, server):
    project.config(mail_section(server) + IMPORT + "export_tasks:\n  out: {pattern: partner, storage: drop, path: out, on_exists: fail, "
                   "failure_emails: [ops@x.test]}\n")
    project.drop("partner.csv", "there already", folder="out")
    project.call("run", status=1)
    mail, = server.mails
    assert mail["Subject"].startswith("pattimpex: out: partner.csv: ")


def test_webhook_is_tried_again_with_the_same_id(project):
    hook = Hook("a long secret")
    try:
        hook.answers = [503, 302]
        project.config(f"webhook: {{url: 'http://localhost:{hook.port}/hidden-token', secret: a long secret}}\n" + IMPORT.replace(", failure_emails: [ops@x.test, boss@x.test]", ""))
        project.drop("bad.csv", BAD)
        project.call("run", status=1)
        job, = jobs(project, "pending")
        assert "503" in job["error"] and "hidden-token" not in job["error"]
        make_due(project, job["id"])
        done = project.call("run")
        assert [job["state"] for job in jobs(project)] == ["failed"] and "302" in done.stdout, "redirects are not followed"
        project.call("check", "--webhook")
        assert hook.posts.pop()[1]["event"] == "test"
        project.call("retry", "job", job["id"])
        project.call("run")
        assert [job["state"] for job in jobs(project)] == ["done"]
        assert len(hook.posts) == 3 and len({headers["Pattimpex-Id"] for headers, _ in hook.posts}) == 1
        headers, body = hook.posts[-1]
        assert body["id"] == headers["Pattimpex-Id"] and body["event"] == "file" and body["task"] == "partners-in"
        assert body["file"]["failed"] == 2 and body["file"]["messages"][0]["row"] == 3
        assert body["url"] == "https://shop.example.com/pattimpex/files/1"
    finally:
        hook.stop()


def test_dry_run_tells_nobody(project, server):
    project.config(mail_section(server) + IMPORT)
    project.drop("a.csv", REFUSED)
    project.call("run", "--dry-run", status=1)
    assert server.mails == []


@pytest.mark.parametrize("section, word", [
    ("mail: {server: localhost, from: a@x.test}", "smtp://HOST"),
    ("mail: {server: 'smtp://user:pw@localhost', from: a@x.test}", "user and password"),
    ("mail: {server: 'smtp://localhost', from: nobody}", "ops@example.com"),
    ("mail: {server: 'smtp://localhost', from: \"a@x.test\\nBcc: b@x.test\"}", "ops@example.com"),
    ("mail: {server: 'smtp://localhost', from: a@x.test, user: a}", "belong together"),
    ("mail: {server: 'smtp://localhost', from: a@x.test, subject: '${tsk}'}", "task}"),
    ("mail: {server: 'smtp://localhost', from: a@x.test, sever: x}", "server"),
    ("mail: {from: a@x.test}", "server"),
    ("webhook: {url: 'ftp://x'}", "https://"),
    ("webhook: {url: 'https://x'}", "secret"),
    ("webhook: {url: 'https://u:p@x', secret: s}", "user part"),
    ("failure_emails: [ops]", "ops@example.com"),
    ("base_url: shop", "https://"),
])
def test_mistake_is_told(project, section, word):
    project.config(section + "\n")
    done = project.call("check", status=2)
    assert word in done.stderr and "pattimpex.yaml:" in done.stderr


def test_emails_without_a_mail_server_are_warned_of(project):
    project.config(IMPORT)
    done = project.call("check")
    assert "failure_emails has no effect without mail" in done.stdout + done.stderr


def test_texts_are_those_of_the_configuration(project, server):
    project.config(mail_section(server, ", subject: '[${task}] ${what} (${count})', body: \"Good day,\\n\\n${summary}\\nSent ${date}.\\n\"") + IMPORT)
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    mail, = server.mails
    assert mail["Subject"] == "[partners-in] a.csv was refused (1)"
    lines = body_of(mail).splitlines()
    assert lines[0] == "Good day," and "nmae" in body_of(mail) and lines[-1].startswith("Sent 20")


def test_what_may_pass_is_told_when_its_tries_are_used_up(project, server):
    project.config(mail_section(server) + IMPORT.replace("storage: drop", "storage: drop, retry: {tries: 3, base: 1s, cap: 1s}"))
    shutil.rmtree(project.drop_folder)
    for _ in range(2):
        project.call("run", "--wait", "0", status=3)
        assert server.mails == []
        job, = [job for job in project.json("jobs") if job["state"] == "pending"]
        make_due(project, job["id"])
    project.call("run", "--wait", "0", status=1)
    mail, = server.mails
    assert mail["Subject"].startswith("pattimpex: partners-in: ") and "(3 times)" in body_of(mail)
    assert "https://shop.example.com/pattimpex/tasks/partners-in" in body_of(mail)


def test_file_that_is_loaded_in_parts_is_told_once(project, server):
    base = BASE.replace("format: csv", "format: csv\n    process_multi: 2\n    chunk_size: 2")
    project.config(mail_section(server) + IMPORT, base=base)
    project.drop("a.csv", "name,email#key\n" + "".join(f"{'' if n % 3 else 'N'},{n}@x.test\n" for n in range(12)))
    project.call("run", status=1)
    mail, = server.mails
    assert mail["Subject"] == "pattimpex: partners-in: a.csv: 8 of 12 rows failed"
    assert project.rows("SELECT count(*) FROM pattimpex_job WHERE kind = 'chunk'")[0][0] > 1


def test_no_history_tells_nobody(project, server):
    project.config("failure_emails: [top@x.test]\n" + mail_section(server) + IMPORT)
    project.call("import", "--no-history", "partner", project.drop("hand.csv", BAD, folder="hand"), status=1)
    project.call("run")
    assert server.mails == []


def test_mails_of_two_tasks_are_two(project, server):
    more = "  more-in: {storage: drop, path: more, pattern: partner, failure_emails: [more@x.test]}\n"
    project.config(mail_section(server) + IMPORT + more)
    project.drop("a.csv", REFUSED)
    project.drop("b.csv", REFUSED, folder="more")
    project.call("run", status=1)
    assert sorted(to for _, to in server.envelopes) == [["more@x.test"], ["ops@x.test", "boss@x.test"]]


def test_task_of_which_nobody_wants_to_know(project, server):
    project.config("failure_emails: [top@x.test]\n" + mail_section(server) + IMPORT.replace("[ops@x.test, boss@x.test]", "[]"))
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    assert server.mails == [] and jobs(project) == []


def test_digest_of_a_renamed_task_stays_one(project, server):
    project.config(mail_section(server, ", digest: 1h") + IMPORT)
    project.drop("a.csv", REFUSED)
    project.call("run", status=1)
    project.config(mail_section(server, ", digest: 1h") + IMPORT.replace("partners-in: {", "customers-in: {renamed_from: partners-in, "))
    project.drop("b.csv", REFUSED + "b,b\n")
    project.call("run", status=1)
    assert len(server.mails) == 1 and len(jobs(project, "pending")) == 1


def test_receiver_knows_our_posts_as_the_docs_say(project):
    docs = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "notices.md").read_text()
    documented = {}
    exec(docs.partition("```python\n")[2].partition("```")[0], documented)
    hook = Hook("a long secret")
    try:
        project.config(f"webhook: {{url: 'http://localhost:{hook.port}', secret: a long secret}}\n" + IMPORT)
        project.call("check", "--webhook")
    finally:
        hook.stop()
    (headers, _), = hook.posts
    body, = hook.bodies
    assert documented["is_ours"](b"a long secret", headers, body)
    assert not documented["is_ours"](b"a long sacret", headers, body)
    assert not documented["is_ours"](b"a long secret", headers, body + b" ")
    assert not documented["is_ours"](b"a long secret", headers, body, now=lambda: time.time() + 3600)
