# SPDX-License-Identifier: Apache-2.0
"""Projects on PostgreSQL."""
import postgres
import psycopg2
import pytest
from conftest import BASE


@pytest.fixture(scope="session")
def databases():
    with postgres.server() as url:
        yield postgres.Databases(url)


@pytest.fixture
def url(databases):
    made = databases.new()
    yield made
    databases.drop(made)


def test_what_does_not_work_yet_is_told_and_nothing_is_made(project, url):
    project.config("", base=BASE.replace("sqlite:shop.db", url))
    for command in (["check"], ["run"], ["jobs"], ["export", "partner", "-o", "out.csv"]):
        done = project.call(*command, status=2)
        assert "does not work on PostgreSQL yet" in done.stderr
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)


def test_password_is_not_told(project, url):
    project.config("", base=BASE.replace("sqlite:shop.db", url.replace("tester@", "tester:s3cret@").replace("/test_", "/other_")))
    done = project.call("check", status=3)
    assert "other_" in done.stderr and "s3cret" not in done.stderr
