# SPDX-License-Identifier: Apache-2.0
"""Notices, and what is cleaned, on PostgreSQL: the tests of SQLite that meet the database, over a project there."""
import pytest
from conftest import PostgresProject
from server import until
from test_jobs import (  # noqa: F401 (run here too)
    test_blob_that_is_needed_or_young_stays, test_kept_file_is_not_imported_again, test_only_jobs_go_unless_files_are_not_kept,
    test_poisoned_file_fails_and_its_channel_goes_on)
from test_metrics import test_counters_outlive_what_is_cleaned  # noqa: F401
from test_notices import (  # noqa: F401
    server, test_digest_of_a_renamed_task_stays_one, test_failed_rows_are_mailed_with_the_error_file, test_file_that_is_loaded_in_parts_is_told_once,
    test_flood_is_one_mail_and_a_digest, test_job_that_kills_its_worker_is_told,
    test_mail_that_was_sent_by_a_killed_program_is_sent_again_with_the_same_id, test_mails_of_two_tasks_are_two, test_no_history_tells_nobody,
    test_what_may_pass_is_told_when_its_tries_are_used_up)


@pytest.fixture
def project(tmp_path, url):
    return PostgresProject(tmp_path, url)


def test_serve_cleans_by_itself(project, serve_ready):
    """Once a day: it began to count days ago."""
    project.config("keep_jobs: 1s\nimport_tasks:\n  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}\n")
    project.drop("a.csv")
    project.call("run")
    project.execute("UPDATE pattimpex_job SET ended = ended - 10000000 WHERE ended > 0")
    project.execute("INSERT INTO pattimpex_due (task, kind, due, state, schedule, decided) VALUES ('(clean)', 'clean', 1, 'begin', 'daily', 1)")
    serve_ready()
    until("the old job is gone", lambda: project.rows("SELECT count(*) FROM pattimpex_job WHERE kind = 'import'") == [(0,)])
