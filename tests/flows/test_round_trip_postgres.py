# SPDX-License-Identifier: Apache-2.0
"""test_round_trip.py on PostgreSQL: what a pattern exports it also imports, and then nothing is written."""
import textwrap

import psycopg2
import pytest
import yaml
from conftest import REFERENCE, Project
from test_postgres_values import TABLES
from test_round_trip import FORMATS, REFERENCE_CASES, REFERENCE_MORE, check, everything, with_format

# Values at the ends of their types, and beyond what a double tells apart; an empty cell is NULL, or FALSE.
VALUES = """
INSERT INTO thing (name, at, local, day, hour, amount, price, uid, doc, raw, bytes, mood, few, tiny, number, large, ratio, rough, code, padded, flag,
    address, gap) VALUES
('A', '2024-10-27 00:30:00+00', '0999-12-31 23:59:59.999999', '9999-12-31', '23:59:59.5', 123456789012345678901234567890.123456789000, -0.0001,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"b": [1, 2.50], "a": "x"}', '{ "x" : 1 }', '\\x00ff', 'happy', -5, -32768, 1073741823, -9223372036854775808,
    1e300, 0.1, '=1+1', 'ab', TRUE, '10.0.0.0/8', '1 day 02:03:04'),
('\u00c9', '2024-10-27 01:30:00+00', '2024-03-31 02:30:00', '0001-01-01', '00:00:00', 0.000000000000000000000001, 9999999999999999.9999,
    NULL, '[12345678901234567890]', 'null', '\\x01', 'sad', 99, 32767, 0, 9223372036854775807, 0.1, 16777216, '-x', 'c', FALSE, '::1', '-1 month'),
('empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, FALSE, NULL, NULL);
"""


class OnPostgres(Project):
    def __init__(self, folder, url, schema, config):
        self.folder, self.url = folder, url
        self.rows(schema)
        (folder / "pattimpex.yaml").write_text(config)

    def rows(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def dump(self):
        """As records() of test_round_trip.py takes it: what is in the tables, a row a line."""
        tables = [t for (t,) in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        return "\n".join(f"INSERT INTO {t} {row}" for t in tables for (row,) in self.rows(f"SELECT CAST(t AS text) FROM {t} AS t ORDER BY 1"))


def reference(folder, url, more=""):
    text = (REFERENCE / "pattimpex.yaml").read_text().replace("sqlite:reference.db", url)
    return OnPostgres(folder, url, (REFERENCE / "schema.postgres.sql").read_text() + (REFERENCE / "data.sql").read_text(), text + textwrap.dedent(more))


@pytest.mark.parametrize("pattern, domain", REFERENCE_CASES)
def test_reference(tmp_path, url, pattern, domain):
    check(reference(tmp_path, url, with_format(REFERENCE_MORE, "csv")), pattern, domain, "csv")


def check_everything(project, format):
    patterns, domains = everything(project)
    settings = yaml.safe_load("format: " + FORMATS[format].split("\n")[0])
    (project.folder / "all.yaml").write_text(yaml.safe_dump({"patterns": {name: {**pattern, **settings} for name, pattern in patterns.items()}}))
    call = project.call
    project.call = lambda command, *arguments, **options: call(command, *arguments, "-c", "pattimpex.yaml", "-c", "all.yaml", **options)
    for pattern, domain in domains.items():
        check(project, pattern, domain, format)


def test_every_field_of_every_model(tmp_path, url):
    check_everything(reference(tmp_path, url), "json")


@pytest.mark.parametrize("format", ["csv", "json", "xlsx"])
def test_values_of_every_type(tmp_path, url, format):
    check_everything(OnPostgres(tmp_path, url, TABLES.split("CREATE TABLE other")[0] + VALUES, f"database: {url}\ntimezone: Europe/Paris\n"), format)
