# SPDX-License-Identifier: Apache-2.0
"""trust_references: records whose references were looked up are written without the triggers of foreign keys, and nothing else changes."""
import contextlib
import json
import os
import subprocess
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from conftest import PROGRAM

LIMIT = 60
HEADER = "name,email#key,country_id|code\n"
# How the server played when the record was made.
ROLES = "SELECT name, played FROM partner WHERE id >= 10 ORDER BY id"


def query(url, sql):
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def trusting(shop, url):
    query(url, "ALTER TABLE partner ALTER COLUMN id RESTART WITH 10, ADD COLUMN played text DEFAULT current_setting('session_replication_role')")
    shop.base = shop.base.replace("format: csv\n", "format: csv\n    trust_references: true\n")
    shop.config("", base=shop.base)
    return shop


def import_rows(shop, rows, header=HEADER, pattern="partner", status=0):
    (shop.folder / "in.csv").write_text(header + rows)
    return json.loads(shop.call("import", pattern, "in.csv", "--json", status=status).stdout)


def test_only_rows_whose_references_are_known_are_trusted(trusting, url):
    trusting.call("check")
    assert import_rows(trusting, "Carol,carol@x.test,FR\nDave,dave@x.test,\n")["created"] == 2
    assert import_rows(trusting, "Erin,erin@x.test\n", header="name,email#key\n")["created"] == 1
    assert query(url, ROLES) == [("Carol", "replica"), ("Dave", "replica"), ("Erin", "replica")]
    query(url, "ALTER TABLE partner ALTER COLUMN country_id SET DEFAULT 2")
    assert import_rows(trusting, "Fay,fay@x.test\n", header="name,email#key\n")["created"] == 1
    assert query(url, ROLES)[-1] == ("Fay", "origin")
    trusting.config("", base=trusting.base.replace("trust_references: true", "trust_references: false"))
    assert import_rows(trusting, "Gus,gus@x.test,FR\n")["created"] == 1
    assert query(url, ROLES)[-1] == ("Gus", "origin")


# Rows called T... must be written by a replica, those called O... by a server that fires triggers.
PLAYED = """ALTER TABLE partner ADD CHECK (CASE substr(name, 1, 1) WHEN 'T' THEN current_setting('session_replication_role') = 'replica'
    WHEN 'O' THEN current_setting('session_replication_role') = 'origin' ELSE TRUE END)"""
CHANGED = "SELECT p.name, c.code FROM partner AS p LEFT JOIN country AS c ON c.id = p.country_id WHERE p.id < 10 ORDER BY p.id"


def test_changed_references_that_are_known_are_trusted(trusting, url):
    query(url, PLAYED)
    assert import_rows(trusting, "Tal,alice@x.test,DE\nTom,bob@x.test,\n")["updated"] == 2
    assert query(url, CHANGED) == [("Tal", "DE"), ("Tom", None)]
    assert import_rows(trusting, "Ole,bob@x.test\n", header="name,email#key\n")["updated"] == 1        # no trigger would be fired
    query(url, "ALTER TABLE partner ADD UNIQUE (phone); CREATE TABLE letter (phone text REFERENCES partner (phone) ON UPDATE CASCADE);"
          "INSERT INTO letter VALUES ('1')")
    assert import_rows(trusting, "Ora,alice@x.test,BE,11\n", header="name,email#key,country_id|code,phone\n")["updated"] == 1
    assert query(url, CHANGED) == [("Ora", "BE"), ("Ole", None)]
    assert query(url, "SELECT phone FROM letter") == [("11",)]


def test_record_that_the_same_statement_makes_is_known(trusting, url):
    query(url, PLAYED + "; ALTER TABLE partner ADD COLUMN parent_id integer REFERENCES partner (id)")
    header = "name,email#key,parent_id|email,country_id|code\n"
    assert import_rows(trusting, "Tal,tal@x.test,bob@x.test,FR\nTed,ted@x.test,tal@x.test,FR\n", header=header)["created"] == 2
    assert query(url, "SELECT c.name, p.name FROM partner AS c JOIN partner AS p ON p.id = c.parent_id ORDER BY 1") == [("Tal", "Bob"), ("Ted", "Tal")]


def test_nested_records_have_their_new_parents(trusting, url):
    query(url, "CREATE TABLE child (id serial PRIMARY KEY, name text, partner_id integer REFERENCES partner (id),"
          " played text DEFAULT current_setting('session_replication_role'))")
    header = "name,email#key,country_id|code,child_ids|1|name,child_ids|2|name\n"
    assert import_rows(trusting, "Carol,carol@x.test,FR,Ann,Ben\nBob,bob@x.test,BE,Cid,\n", header=header)["created"] == 1
    assert query(url, "SELECT c.name, p.name, c.played FROM child AS c JOIN partner AS p ON p.id = c.partner_id ORDER BY 1") == [
        ("Ann", "Carol", "replica"), ("Ben", "Carol", "replica"), ("Cid", "Bob", "replica")]


def test_key_that_no_lookup_proves_is_left_to_the_database(trusting, url):
    query(url, "ALTER TABLE country ADD UNIQUE (code); CREATE TABLE city (id serial PRIMARY KEY, name text UNIQUE, land text REFERENCES country (code),"
          " country_id integer REFERENCES country (id), played text DEFAULT current_setting('session_replication_role'))")
    trusting.config("", base=trusting.base + "  city: {model: city, trust_references: true, format: csv, fields: [{field: name, key: true}, land]}\n")
    said = trusting.call("check").stdout
    assert "pattern city: trust_references has no effect on the table city: its foreign key city_land_fkey does not refer to a record by its id" in said
    header = "name#key,land,country_id|code\n"
    summary = import_rows(trusting, "Paris,XX,FR\nGent,BE,BE\n", header=header, pattern="city", status=1)
    assert [(m["row"], m["column"], m["message"]) for m in summary["messages"]] == [(2, "land", "Land: no Country has Code \"XX\"")]
    assert query(url, "SELECT name, played FROM city") == [("Gent", "origin")]


def test_keys_that_are_uuids_and_tables_of_other_schemas(trusting, url):
    query(url, "CREATE SCHEMA sales; CREATE TABLE sales.land (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), code text UNIQUE);"
          "CREATE TABLE sales.city (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE, land_id uuid REFERENCES sales.land (id),"
          " played text DEFAULT current_setting('session_replication_role')); INSERT INTO sales.land (code) VALUES ('FR'), ('BE')")
    trusting.config("", base=trusting.base.replace("filestore:", "schemas: [sales]\nfilestore:")
                    + "  city: {model: sales.city, trust_references: true, format: csv, fields: [{field: name, key: true}, land_id/code]}\n")
    trusting.call("check")
    assert import_rows(trusting, "Paris,FR\nGent,BE\n", header="name#key,land_id|code\n", pattern="city")["created"] == 2
    assert query(url, "SELECT c.name, l.code, c.played FROM sales.city AS c JOIN sales.land AS l ON l.id = c.land_id ORDER BY 1") == [
        ("Gent", "BE", "replica"), ("Paris", "FR", "replica")]


# ---- what stands in the way


@pytest.mark.parametrize("made, said", [
    ("CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
     "CREATE TRIGGER look BEFORE INSERT ON partner FOR EACH ROW EXECUTE FUNCTION leave()", "it has the trigger look"),
    ("CREATE RULE loud AS ON INSERT TO partner DO ALSO NOTIFY made", "it has rules"),
    ("ALTER TABLE partner ENABLE ROW LEVEL SECURITY", "it has row-level security"),
    ("ALTER TABLE partner ADD CONSTRAINT one_phone UNIQUE (phone) DEFERRABLE", "its constraint one_phone can be deferred"),
    ("CREATE FUNCTION number() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'x' $$; ALTER TABLE partner ALTER COLUMN phone SET DEFAULT number()",
     "calls number(), which may write to other tables"),
])
def test_table_that_needs_its_triggers_is_refused(trusting, url, made, said):
    query(url, made)
    complaint = trusting.call("check", status=2).stderr
    assert "pattern partner: trust_references is not possible with the table partner: " in complaint and said in complaint
    summary = import_rows(trusting, "Carol,carol@x.test,FR\n", status=2)
    assert said in summary["messages"][0]["message"] and query(url, ROLES) == []


@pytest.fixture
def clerk(trusting, url):
    """Somebody who may import, and no more."""
    name = f"clerk_{os.getpid()}"
    query(url, f"CREATE ROLE {name} LOGIN; GRANT ALL ON SCHEMA public TO {name}; GRANT SELECT, INSERT, UPDATE ON partner TO {name};"
          f"GRANT USAGE ON partner_id_seq TO {name}; GRANT SELECT ON country TO {name}")
    parts = urlsplit(url)
    trusting.config("", base=trusting.base.replace(url, urlunsplit(parts._replace(netloc=f"{name}@{parts.hostname}:{parts.port}"))))
    yield name
    query(url, f"DROP OWNED BY {name}; REVOKE SET ON PARAMETER session_replication_role FROM {name}; DROP ROLE {name}")


def test_user_needs_the_privileges(trusting, url, clerk):
    assert "GRANT SET ON PARAMETER session_replication_role" in import_rows(trusting, "Carol,carol@x.test,FR\n", status=2)["messages"][0]["message"]
    query(url, f"GRANT SET ON PARAMETER session_replication_role TO {clerk}")
    assert "may not lock rows of country" in trusting.call("check", status=2).stderr
    query(url, f"GRANT UPDATE (name) ON country TO {clerk}")
    assert import_rows(trusting, "Carol,carol@x.test,FR\n")["created"] == 1
    assert query(url, ROLES) == [("Carol", "replica")]


def test_servers_before_15_want_a_superuser(trusting, url, clerk):
    """Which have no function to ask about the right either."""
    query(url, "CREATE SCHEMA old; CREATE FUNCTION old.current_setting(text) RETURNS text STABLE LANGUAGE sql AS"
          " $$ SELECT CASE $1 WHEN 'server_version_num' THEN '140011' ELSE pg_catalog.current_setting($1) END $$;"
          "CREATE FUNCTION old.has_parameter_privilege(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE undefined_function; END';"
          f"GRANT USAGE ON SCHEMA old TO {clerk}; ALTER ROLE {clerk} SET search_path = public, old, pg_catalog;"
          f"GRANT UPDATE (name) ON country TO {clerk}")
    assert "before PostgreSQL 15 only a superuser may" in trusting.call("check", status=2).stderr


def test_without_effect_on_sqlite(project):
    project.config("", base="database: sqlite:shop.db\nfilestore: filestore\npatterns:\n  partner: {model: partner, trust_references: true}\n")
    assert "pattern partner: trust_references has no effect: SQLite" in project.call("check").stdout
    assert import_rows(project, "Carol,carol@x.test,FR\n")["created"] == 1


# ---- others at the same time


def wait_for(url, sql):
    end = time.monotonic() + LIMIT
    while not query(url, sql)[0][0]:
        assert time.monotonic() < end, f"waited in vain: {sql}"
        time.sleep(0.01)


@contextlib.contextmanager
def import_beside(shop, url, rows):
    """Imports while the block runs, which begins when the import waits for a lock."""
    (shop.folder / "in.csv").write_text(HEADER + rows)
    process = subprocess.Popen([PROGRAM, "import", "partner", "in.csv", "--json"], cwd=shop.folder, text=True, stdout=subprocess.PIPE)
    try:
        wait_for(url, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        yield process
    finally:
        process.communicate(timeout=LIMIT)


@pytest.mark.parametrize("trust", ["true", "false"])
def test_parent_that_is_deleted_meanwhile_fails_its_row(trusting, url, trust):
    trusting.config("", base=trusting.base.replace("trust_references: true", f"trust_references: {trust}"))
    with contextlib.closing(psycopg2.connect(url)) as other:
        other.cursor().execute("DELETE FROM country WHERE code = 'DE'")
        with import_beside(trusting, url, "Carol,carol@x.test,DE\nDave,dave@x.test,FR\n") as process:
            other.commit()
            summary = json.loads(process.communicate(timeout=LIMIT)[0])
    assert (summary["created"], summary["failed"]) == (1, 1)
    assert [(m["row"], m["type"]) for m in summary["messages"]] == [(2, "not_found")]
    assert [name for name, _ in query(url, ROLES)] == ["Dave"]


def test_parents_stay_until_the_commit(trusting, url):
    with contextlib.closing(psycopg2.connect(url)) as other:
        other.cursor().execute("INSERT INTO partner (id, name, email) VALUES (1000, 'Other', 'carol@x.test')")
        with import_beside(trusting, url, "Carol,carol@x.test,DE\n") as process:
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                query(url, "SELECT 1 FROM country WHERE code = 'DE' FOR UPDATE NOWAIT")
            query(url, "SELECT 1 FROM country WHERE code = 'FR' FOR UPDATE NOWAIT")
            other.rollback()
            assert json.loads(process.communicate(timeout=LIMIT)[0])["created"] == 1
    assert query(url, ROLES) == [("Carol", "replica")]
