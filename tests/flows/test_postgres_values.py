# SPDX-License-Identifier: Apache-2.0
"""What becomes of values, and of what the database refuses, in PostgreSQL."""
import datetime
import decimal
import os

import psycopg2
import pytest

TABLES = """
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN small AS integer CHECK (VALUE < 100);
CREATE TABLE thing (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name citext UNIQUE,
    at timestamptz, local timestamp, day date, hour time, amount numeric, price numeric(20, 4), uid uuid, doc jsonb, raw json, bytes bytea, mood mood,
    few small, tiny smallint, number integer, large bigint, ratio double precision, rough real, code varchar(5), padded char(4), flag boolean,
    double_of integer GENERATED ALWAYS AS (number * 2) STORED, address inet, gap interval
);
CREATE TABLE other (id serial PRIMARY KEY, name text);
"""
CONFIG = """
database: {url}
timezone: Europe/Paris
patterns:
  thing: {{model: thing, format: csv}}
  other: {{model: other, format: csv}}
"""


class Store:
    def __init__(self, project, url, tables):
        self.project, self.url = project, url
        self.query(tables)
        project.config("", base=CONFIG.format(url=url))

    def query(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def load(self, text, pattern="thing", status=0):
        (self.project.folder / "in.csv").write_text(text)
        return self.project.json("import", pattern, "in.csv", status=status)

    def counts(self, text, pattern="thing"):
        summary = self.load(text, pattern)
        return summary["created"], summary["updated"], summary["unchanged"]

    def said(self, text, pattern="thing"):
        summary = self.load(text, pattern, status=1)
        return [(m["row"], m["column"], m["type"], m["message"]) for m in summary["messages"]]


@pytest.fixture
def store(project, url):
    return Store(project, url, TABLES)


def test_values_arrive_and_come_again_unchanged(store):
    file = ("name#key,at,local,day,hour,amount,price,uid,doc,raw,bytes,mood,few,tiny,number,large,ratio,rough,code,padded,flag\n"
            "A,2024-07-01 12:00:00,2024-07-01 12:00:00,2024-07-01,9:30,-12345678901234567890.123456789,1234567890123456.78905,"
            "{A0EEBC99-9C0B4EF8BB6D-6BB9BD380A11},\"{\"\"b\"\": [1, 2.50], \"\"a\"\": null}\",\"{ }\",AAEC,happy,3,-32768,6,9223372036854775807,"
            "0.1,0.123456789,abcde,ab,yes\n")
    assert store.counts(file) == (1, 0, 0)
    (row,) = store.query("SELECT at, local, day, hour, amount, price, uid, doc, CAST(raw AS text), bytes, mood, few, tiny, large, ratio, rough, code,"
                         " padded, flag, double_of FROM thing")
    at = datetime.datetime(2024, 7, 1, 10, tzinfo=datetime.timezone.utc)
    assert row[:4] == (at, datetime.datetime(2024, 7, 1, 12), datetime.date(2024, 7, 1), datetime.time(9, 30))
    assert row[4:6] == (decimal.Decimal("-12345678901234567890.123456789"), decimal.Decimal("1234567890123456.7891"))
    assert row[6:9] == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", {"a": None, "b": [1, 2.5]}, "{ }")
    assert (bytes(row[9]), *row[10:]) == (b"\0\1\2", "happy", 3, -32768, 2 ** 63 - 1, 0.1, pytest.approx(0.12345679), "abcde", "ab  ", True, 12)
    assert store.counts(file) == (0, 0, 1)
    assert store.counts("name#key,amount\na,-12345678901234567890.123456788\n") == (0, 1, 0)


def test_what_does_not_fit_is_told_with_field_and_value(store):
    said = store.said("name#key,tiny,number,price,uid,mood,few,doc,address,gap,code,padded\n"
                      "a,40000,,,,,,,,,,\nb,,3000000000,,,,,,,,,\nc,,,12345678901234567,,,,,,,,\nd,,,,zz,,,,,,,\ne,,,,,angry,,,,,,\nf,,,,,,100,,,,,\n"
                      "g,,,,,,,\"{\"\"x\"\": \"\"\\u0000\"\"}\",,,,\nh,,,,,,,,300.1.1.1,,,\ni,,,,,,,,,forever,,\nj,,,,,,,,,,abcdef,\nk,,,,,,,,,,,abcde\n"
                      "good,1,2,3,,ok,4,[],10.0.0.1,1 day,abc,ab\n")
    assert [line[:3] for line in said] == [
        (2, "tiny", "range"), (3, "number", "range"), (4, "price", "range"), (5, "uid", "conversion"), (6, "mood", "selection"), (7, None, "check"),
        (8, "doc", "conversion"), (9, "address", "conversion"), (10, "gap", "conversion"), (11, "code", "length"), (12, "padded", "length")]
    assert said[0][3] == 'Tiny: "40000" is too large: the column holds -32768 to 32767'
    assert "100 breaks the rule small_check (VALUE < 100)" in said[5][3]
    assert 'Address: "300.1.1.1" is refused' in said[7][3]
    assert store.query("SELECT name, tiny FROM thing") == [("good", 1)]


def test_equality_of_keys_is_the_databases(store):
    assert store.counts("name#key,number\nQ,1\nq,2\n\u00c9,3\n\u00e9,4\n\u00c9,5\n") == (2, 3, 0)
    assert store.query("SELECT name, number FROM thing ORDER BY id") == [("Q", 2), ("\u00c9", 5)]
    store.query("DELETE FROM thing")
    assert store.counts("amount#key,number\n12345678901234567890.10,1\n12345678901234567890.1,2\n12345678901234567890.11,3\n") == (2, 1, 0)
    store.query("DELETE FROM thing")
    assert store.counts("uid#key,number\nA0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,1\na0eebc999c0b4ef8bb6d6bb9bd380a11,2\n") == (1, 1, 0)
    assert store.counts("address#key,number\n10.0.0.1,1\n10.0.0.1/32,2\n") == (1, 1, 0)
    assert store.counts("raw#key,number\n{},7\n{},8\n") == (1, 1, 0)
    assert store.counts("at#key,number\n2024-07-01 12:00:00,1\n2024-07-01T10:00:00Z,2\n") == (1, 1, 0)


def test_hours_that_are_none_or_two_are_told(store):
    said = store.said("name#key,at\na,2024-03-31 02:30:00\nb,2024-10-27 02:30:00\nc,2024-10-27 02:30:00+02:00\n")
    assert [line[:2] for line in said] == [(2, "at"), (3, "at")]
    assert store.query("SELECT CAST(at AT TIME ZONE 'UTC' AS text) FROM thing") == [("2024-10-27 00:30:00",)]


REFUSING = """
CREATE TABLE thing (id serial PRIMARY KEY, name text NOT NULL UNIQUE, number integer CHECK (number > 0), parent_id integer REFERENCES thing (id)
    DEFERRABLE INITIALLY DEFERRED, one integer, other integer, UNIQUE (one, other) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE other (id serial PRIMARY KEY, name text);
CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.name = 'bad' THEN RAISE EXCEPTION 'never %', new.name; END IF;
    IF new.name = 'kept' THEN RETURN NULL; END IF; RETURN new; END $$;
CREATE TRIGGER no BEFORE INSERT OR UPDATE ON other FOR EACH ROW EXECUTE FUNCTION no();
"""


def test_constraints_are_told_as_on_sqlite(project, url):
    store = Store(project, url, REFUSING)
    store.counts("name#key,number,one,other\na,1,1,1\nb,2,1,2\n")
    said = store.said("name,number,one,other\na,3,,\n,4,,\nc,0,,\nd,5,1,2\ne,6,7,8\n")
    assert [line[:3] for line in said] == [(2, "name", "unique"), (3, "name", "required"), (4, None, "check"), (5, "one", "unique")]
    assert said[0][3] == 'Name: "a" is used by another Thing already'
    assert said[2][3] == "Number: 0 breaks the rule thing_number_check (number > 0) of the database"
    assert store.query("SELECT name FROM thing ORDER BY name") == [("a",), ("b",), ("e",)]


def test_deferred_constraints_speak_before_the_commit(project, url):
    store = Store(project, url, REFUSING)
    store.query("INSERT INTO thing (name) VALUES ('gone'); CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.number = 13 THEN"
                " RAISE EXCEPTION 'no 13'; END IF; RETURN NULL; END $$;"
                "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()")
    said = store.said("name#key,number\na,1\nb,13\nc,3\n")
    assert [line[:3] for line in said] == [(3, None, "trigger")] and "no 13" in said[0][3]
    assert store.query("SELECT name FROM thing WHERE number > 0 ORDER BY name") == [("a",), ("c",)]


def test_triggers_that_refuse_or_keep_are_told_with_their_row(project, url):
    store = Store(project, url, REFUSING)
    store.query("INSERT INTO other (name) VALUES ('x')")
    said = store.said(".id,name\n,bad\n,good\n1,kept\n", "other")
    assert [line[:3] for line in said] == [(2, None, "trigger"), (4, None, "trigger")]
    assert "never bad" in said[0][3] and "left the record as it was" in said[1][3]
    assert store.query("SELECT name FROM other ORDER BY name") == [("good",), ("x",)]


@pytest.fixture
def limited(url):
    """A user who is no superuser, for whom policies hold."""
    name = f"limited_{os.getpid()}"
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN; GRANT ALL ON SCHEMA public TO {name}")
    yield name
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def test_policies_are_told_with_their_row(project, url, limited):
    store = Store(project, url, REFUSING)
    store.query("INSERT INTO thing (name, number) VALUES ('mine', 1), ('theirs', 2)")
    store.query(f"GRANT ALL ON thing, other, thing_id_seq, other_id_seq TO {limited};"
                "ALTER TABLE thing ENABLE ROW LEVEL SECURITY; CREATE POLICY see ON thing FOR SELECT USING (TRUE);"
                "CREATE POLICY make ON thing FOR INSERT WITH CHECK (number < 100); CREATE POLICY change ON thing FOR UPDATE USING (number = 1)")
    project.config("", base=CONFIG.format(url=url.replace("tester@", f"{limited}@")))
    said = store.said("name#key,number\nmine,1\ntheirs,3\nnew,200\nfine,4\n")
    assert [line[:2] for line in said] == [(3, None), (4, None)]
    assert "left the record as it was" in said[0][3] and "row-level security" in said[1][3]
    assert store.query("SELECT name, number FROM thing ORDER BY name") == [("fine", 4), ("mine", 1), ("theirs", 2)]
