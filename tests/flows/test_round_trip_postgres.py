# SPDX-License-Identifier: Apache-2.0
"""test_round_trip.py with values that only PostgreSQL has."""
import pytest

from conftest import PostgresProject
from test_postgres_values import TABLES
from test_round_trip import check_everything

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


@pytest.mark.parametrize("format", ["csv", "json", "xlsx"])
def test_values_of_every_type(tmp_path, url, format):
    project = PostgresProject(tmp_path, url)
    project.execute("DROP TABLE partner, country;" + TABLES.split("CREATE TABLE other")[0] + VALUES)
    project.config("timezone: Europe/Paris\n", base=f"database: {url}\n")
    check_everything(project, format)
