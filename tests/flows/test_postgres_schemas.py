# SPDX-License-Identifier: Apache-2.0
"""Tables of other schemas than those of the search path, called by their schema."""
import csv
import io

import psycopg2
import pytest

TABLES = """
CREATE SCHEMA sales;
CREATE SCHEMA "Odd.Name";
CREATE SCHEMA hidden;
CREATE TYPE sales.stage AS ENUM ('open', 'closed');
CREATE TABLE partner (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE orders (id serial PRIMARY KEY, number text UNIQUE, note text CONSTRAINT orders_note CHECK (note <> 'bad'));
CREATE TABLE sales.orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number text UNIQUE, stage sales.stage, partner_id integer REFERENCES partner,
    amount numeric CONSTRAINT orders_amount CHECK (amount >= 0), double_of numeric GENERATED ALWAYS AS (amount * 2) STORED
);
CREATE TABLE sales.tag (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE sales.order_tag (order_id integer REFERENCES sales.orders, tag_id integer REFERENCES sales.tag, PRIMARY KEY (order_id, tag_id));
CREATE TABLE "Odd.Name"."a ""t"" b" (id serial PRIMARY KEY, order_id integer REFERENCES sales.orders, text text);
CREATE TABLE hidden.secret (id serial PRIMARY KEY, partner_id integer REFERENCES partner);
INSERT INTO partner (name) VALUES ('Alice'), ('Bob');
INSERT INTO orders (number) VALUES ('O1');
INSERT INTO sales.tag (name) VALUES ('urgent'), ('late');
"""
CONFIG = """
database: {url}
schemas: [sales, Odd.Name]
models:
  line: {{table: 'Odd.Name.a "t" b'}}
patterns:
  orders:
    model: sales.orders
    format: csv
    fields: [{{field: number, key: true}}, stage, amount, partner_id/name, {{field: tag_ids/name, occurrences: 2}}]
  free: {{model: sales.orders, format: csv}}
  computed: {{model: sales.orders, format: csv, fields: [number, {{value: "amount + 1", header: more}}]}}
  own: {{model: orders, format: csv}}
  line: {{model: line, format: csv}}
"""


class Store:
    def __init__(self, project, url):
        self.project, self.url = project, url
        self.query(TABLES)
        self.config()

    def config(self, text=CONFIG):
        self.project.config("", base=text.format(url=self.url))

    def query(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def load(self, text, pattern, status=0):
        (self.project.folder / "in.csv").write_text(text)
        return self.project.json("import", pattern, "in.csv", status=status)

    def export(self, pattern, *options):
        return list(csv.reader(io.StringIO(self.project.call("export", pattern, "-o", "-", *options).stdout)))


@pytest.fixture
def store(project, url):
    return Store(project, url)


def test_models_are_called_by_their_schema(store):
    shown = store.project.json("models")
    assert {m["model"]: m["table"] for m in shown["models"]} == {
        "line": 'Odd.Name.a "t" b', "orders": "orders", "partner": "partner", "sales.orders": "sales.orders", "sales.tag": "sales.tag"}
    assert [entry["table"] for entry in shown["left_out"]] == ["sales.order_tag"]
    fields = {f["field"]: f for f in store.project.json("models", "sales.orders")["fields"]}
    assert fields["partner_id"]["type"] == "many2one" and fields["stage"]["selection"] == [
        {"value": "open", "label": "open"}, {"value": "closed", "label": "closed"}]
    assert fields["tag_ids"]["relation"] == "sales.tag by sales.order_tag" and "line_ids" in fields
    assert "orders_ids" in {f["field"] for f in store.project.json("models", "partner")["fields"]}
    store.project.call("check")


def test_records_of_both_tables_of_a_name_come_and_go(store):
    file = "number#key,stage,amount,partner_id|name,tag_ids|1|name,tag_ids|2|name\nS1,open,10.5,Alice,urgent,late\nS2,closed,,Bob,,\n"
    assert store.load(file, "orders")["created"] == 2
    assert store.load(file, "orders")["unchanged"] == 2
    assert store.load(file.replace("10.5", "11").replace(",urgent", ","), "orders")["updated"] == 1
    assert store.load("number#key,note\nO1,seen\nO2,\n", "own")["updated"] == 1
    assert store.query("SELECT o.number, p.name, o.double_of FROM sales.orders AS o JOIN partner AS p ON p.id = o.partner_id ORDER BY 1") == [
        ("S1", "Alice", 22), ("S2", "Bob", None)]
    assert store.query("SELECT number FROM orders ORDER BY 1") == [("O1",), ("O2",)]
    assert store.export("orders", "--filter", "[('partner_id.name', '=', 'Alice'), ('tag_ids.name', '=', 'late')]")[1:] == [
        ["S1", "open", "11", "Alice", "late", ""]]
    assert store.export("computed")[1:] == [["S1", "12"], ["S2", ""]]


def test_items_and_external_ids_across_schemas(store):
    file = "id,number#key,line_ids|1|text,line_ids|2|text\nshop.s1,S1,first,second\n"
    assert store.load(file, "free")["created"] == 1
    assert store.query("SELECT model, res_id FROM pattimpex_external_id WHERE module = 'shop'") == [("sales.orders", 1)]
    assert store.load("text#key,order_id|id\nfirst,\nthird,shop.s1\n", "line")["created"] == 1
    assert store.query('SELECT text, order_id FROM "Odd.Name"."a ""t"" b" ORDER BY id') == [("first", None), ("second", 1), ("third", 1)]
    store.config(CONFIG.replace("fields: [number, {{value", "fields: [id, number, {{value"))
    assert store.export("computed")[1][:2] == ["shop.s1", "S1"]


def test_what_the_database_refuses_is_told_of_the_right_table(store):
    summary = store.load("number#key,amount\nS1,-1\nS2,5\nS3,-2\n", "free", 1)
    assert [(m["row"], m["column"], m["type"]) for m in summary["messages"]] == [(2, None, "check"), (4, None, "check")]
    assert "-1 breaks the rule orders_amount" in summary["messages"][0]["message"]
    assert store.query("SELECT number FROM sales.orders") == [("S2",)]
    assert [m["row"] for m in store.load("number#key,note\nO2,bad\nO3,good\n", "own", 1)["messages"]] == [2]


def test_a_dry_run_and_its_plan(store):
    (store.project.folder / "in.csv").write_text("number#key,partner_id|name,tag_ids|1|name\nS1,Bob,urgent\n")
    store.project.call("import", "free", "in.csv", "--dry-run", "--plan", "plan.csv")
    assert store.query("SELECT count(*) FROM sales.orders") == [(0,)]
    store.project.call("import", "--apply", "plan.csv")
    assert store.query("SELECT o.number, t.name FROM sales.order_tag AS l JOIN sales.orders AS o ON o.id = l.order_id"
                       " JOIN sales.tag AS t ON t.id = l.tag_id") == [("S1", "urgent")]


def test_what_is_wrong_with_schemas_is_told_with_its_line(store):
    store.config(CONFIG.replace("[sales, Odd.Name]", "[sale, Odd.Name]"))
    said = store.project.call("check", status=2).stderr
    assert "pattimpex.yaml:3: schemas: there is no schema sale " in said and "did you mean sales?" in said
    store.config(CONFIG.replace("schemas: [sales, Odd.Name]", "").replace("  line: {{table: 'Odd.Name.a \"table\"'}}\n", ""))
    said = store.project.call("check", status=2).stderr
    assert "schemas: [sales]" in said
    # A table whose schema is not named is nobody's relation.
    store.config("database: {url}\npatterns:\n  own: {{model: partner, format: csv}}\n")
    assert "orders_ids" not in {f["field"] for f in store.project.json("models", "partner")["fields"]}


def test_sqlite_has_none(project):
    project.config("schemas: main\n")
    assert "schemas: only PostgreSQL has them" in project.call("check", status=2).stderr
