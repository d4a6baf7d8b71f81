# SPDX-License-Identifier: Apache-2.0
"""What the tests of notices share: a project that fails, its jobs, clocks that are put forward."""

IMPORT = """
base_url: https://shop.example.com/pattimpex/
import_tasks:
  partners-in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, failure_emails: [ops@x.test, boss@x.test]}
"""
REFUSED = "nmae,email#key\nX,x@x.test\n"


def mail_section(server, more="", scheme="smtp"):
    return f"mail: {{server: '{scheme}://localhost:{server.port}', from: 'Pattimpex Düsseldorf <pattimpex@shop.test>'{more}}}\n"


def body_of(mail):
    return mail.get_body(("plain",)).get_content()


def jobs(project, state=None):
    return [job for job in project.json("jobs") if job["kind"] == "notice" and (state is None or job["state"] == state)]


def execute(project, sql, *values):
    project.execute(sql, *values)


def make_due(project, job_id):
    execute(project, "UPDATE pattimpex_job SET eta = 0 WHERE id = ?", job_id)
