# SPDX-License-Identifier: Apache-2.0
"""Files that are late or small: what `serve`, `tasks` and `check` make of expect:."""
import time

import pytest
from conftest import PROGRAM
from notices import body_of, execute, jobs, mail_section
from server import Server, until
from smtp import MailServer

EXPECT = """
import_tasks:
  partners-in: {storage: drop, path: in, pattern: partner, failure_emails: [ops@x.test], expect: {by: "00:00", days: "*"}}
"""


@pytest.fixture
def server():
    server = MailServer()
    yield server
    server.stop()


def count_from(project, days):
    """As if the program had begun to count so many days ago."""
    project.call("tasks")
    execute(project, "INSERT INTO pattimpex_due (task, kind, due, state, schedule, decided) VALUES ('partners-in', 'expect', ?, 'begin', ?, 0)",
            int((time.time() - days * 86400) * 1e6), "0 0 * * * (Europe/Paris)")


def test_late_file_is_mailed_by_serve(project, server):
    project.config(mail_section(server) + EXPECT)
    count_from(project, 3)
    with Server(PROGRAM, project.folder, "serve") as serve:
        serve.told("READY=1")
        until("the mail", lambda: jobs(project, "done"))
    mail, = server.mails
    assert mail["Subject"].startswith("pattimpex: partners-in: no file had come by 00:00 on 20")
    assert "it is looked for in drop, in" in body_of(mail)


@pytest.mark.skipif("san" not in PROGRAM, reason="needs a build with -Dtest_hooks=true")
@pytest.mark.parametrize("kill_at", range(1, 8))
def test_late_file_is_told_once_whatever_is_killed(project, server, kill_at):
    project.config(mail_section(server) + EXPECT)
    count_from(project, 3)
    env = {"PATTIMPEX_KILL_AT": str(kill_at), "PATTIMPEX_KILL_COUNT": str(project.folder / "count")}
    with Server(PROGRAM, project.folder, "serve", "--workers", "1", env=env) as serve:
        serve.logged("started again")
        until("the mail", lambda: jobs(project, "done"))
    assert project.rows("SELECT count(*) FROM pattimpex_notice") == [(1,)]
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


def test_small_file_is_mailed_once_and_not_its_retry(project, server):
    project.config(mail_section(server) + EXPECT.replace('by: "00:00", days: "*"', "min_rows: 100"))
    project.drop("a.csv")
    project.call("run")
    mail, = server.mails
    assert mail["Subject"] == "pattimpex: partners-in: a.csv: only 2 rows, expected are 100 or more"
    project.call("retry", "file", "1")
    assert len(jobs(project)) == 1


def test_tasks_show_what_is_expected(project):
    project.config(EXPECT.replace('days: "*"', "days: mon-fri, after: '19:00', min_rows: 10"))
    task = project.json("tasks", "partners-in")
    assert task["expect"] == "by 00:00, not before 19:00 on mon-fri, 10 rows or more" and "T00:00:00" in task["next_expected"]
    shown = project.call("tasks", "partners-in").stdout
    assert "Expects" in shown and "10 rows or more" in shown and "Next expected" in shown
    project.call("tasks", "disable", "partners-in")
    assert project.json("tasks", "partners-in")["next_expected"] is None


@pytest.mark.parametrize("expect, word", [
    ("{by: 25:00}", "hours and minutes"),
    ("{by: 7}", "hours and minutes"),
    ("{by: '07:5'}", "hours and minutes"),
    ("{by: '07:00', after: noon}", "hours and minutes"),
    ("{by: '07:00', days: weekdays}", "days"),
    ("{by: '07:00', days: '* 1 2'}", "mon-fri"),
    ("{by: '07:00', min_rows: -1}", "min_rows"),
    ("{by: '07:00', min_row: 1}", "min_rows"),
    ("{after: '07:00', min_rows: 1}", "without by"),
    ("{}", "min_rows"),
    ("07:00", "expect"),
])
def test_mistake_is_told(project, expect, word):
    project.config(EXPECT.replace('{by: "00:00", days: "*"}', expect))
    done = project.call("check", status=2)
    assert word in done.stderr and "pattimpex.yaml:" in done.stderr
