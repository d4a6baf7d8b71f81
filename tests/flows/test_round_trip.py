# SPDX-License-Identifier: Apache-2.0
"""What a pattern exports it also imports, and then nothing is written: every row is as it was."""
import contextlib
import pathlib
import re
import sqlite3
import subprocess
import textwrap

import psycopg2
import pytest
import yaml

from conftest import PROGRAM, PostgresProject, Project, in_postgres_words

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = {"csv": "csv", "xlsx": "xlsx", "json": "json", "jsonl": "json\n    json_style: nested\n    json: {lines: true}"}
# A format says nothing of the database, but what a row is read into may: on PostgreSQL one that is flat and one that is nested.
BOTH = [*(("sqlite", format) for format in FORMATS), ("postgres", "csv"), ("postgres", "jsonl")]
SHOP = sorted(yaml.safe_load((ROOT / "examples" / "shop" / "pattimpex.yaml").read_text())["patterns"])

# More of the language than the example shop shows.
SHOP_MORE = """
patterns:
  people:
    model: partner
    fields: [{field: email, key: true}, name, country_id/.id]
  companies:
    model: partner
    fields: [{field: email, key: true}, name, {field: child_ids, pattern: people, occurrences: 12}, state_id/code, state_id/country_id/code]
  catalogue:
    model: country
    header: description_and_tech
    fields: [{field: code, key: true}, name, id]
"""

REFERENCE_MORE = """
filters:
  customers: {model: res_partner, domain: [[email, like, x.test]]}
patterns:
  tags:
    model: res_partner
    fields: [.id, name, {field: category_id/name, occurrences: 12, tab: true}]
  tree:
    model: res_partner
    fields: [.id, name, {field: child_ids, pattern: person, occurrences: 4}, country_id/code, state_id/code, state_id/country_id/code]
  person:
    model: res_partner
    fields: [.id, name, {field: function, key: true}, {field: country_id/code, tab: true}, {field: category_id/name, occurrences: 3}, active]
  ids:
    model: res_partner
    fields: [id, name, country_id/id, {field: category_id/id, occurrences: 3}, {field: child_ids, pattern: named, occurrences: 3}, parent_id/id]
  named:
    model: res_partner
    fields: [id, name, state_id/id]
  own:
    model: res_partner
    header: custom
    fields: [{field: .id, header: No}, {field: email, header: Mail}, {header: Remarks},
             {field: child_ids, pattern: person, header: Person, occurrences: 2}, {field: category_id/name, header: Tag, occurrences: 3}]
  orders:
    model: sale_order
    fields: [{field: client_order_ref, key: true}, state, date_order, validity_date, amount_total, require_payment, note, partner_id/.id,
             {field: order_line, pattern: lines, occurrences: 6}]
  lines:
    model: sale_order_line
    fields: [.id, name, product_uom_qty, price_unit, discount, sequence, display_type, product_id/.id]
  products:
    model: product_template
    fields: [.id, name, default_code, list_price, type, categ_id/.id, {field: product_variant_ids, pattern: variants, occurrences: 4},
             {field: seller_ids, pattern: sellers, occurrences: 4}]
  variants:
    model: product_product
    fields: [.id, default_code, barcode]
  sellers:
    model: product_supplierinfo
    fields: [.id, name/.id, price, min_qty, delay, currency_id/name]
  countries:
    model: res_country
    header: description_and_tech
    fields: [{field: code, key: true}, name, currency_id/name, phone_code, {field: state_ids, pattern: states, occurrences: 70}]
  states:
    model: res_country_state
    fields: [{field: code, key: true}, name]
"""
REFERENCE_CASES = [("tags", None), ("tree", "customers"), ("ids", None), ("own", "customers"), ("orders", "[('client_order_ref', '!=', False)]"),
                   ("products", None), ("countries", None)]


def with_format(text, name):
    """The patterns of the text in this format."""
    return re.sub(r"^(    model: .*)$", rf"\1\n    format: {FORMATS[name]}", text, flags=re.M)


def check(project, pattern, domain=None, format="csv"):
    file = f"{pattern}.{format}"
    exported = project.json("export", pattern, "-o", file, *(["--filter", domain] if domain else []))
    assert exported["rows"] > 0
    before = records(project)
    imported = project.json("import", pattern, file, status=None)
    counts = {word: imported[word] for word in ("created", "updated", "unchanged", "failed", "skipped")}
    assert (imported["messages"][:5], counts) == ([], {"created": 0, "updated": 0, "unchanged": exported["rows"], "failed": 0, "skipped": 0})
    assert records(project) == before


def records(project):
    """All that is not ours, and the external ids."""
    ours = re.compile(r'(INSERT INTO|CREATE TABLE|CREATE (UNIQUE )?INDEX) "?(pattimpex_(?!external_id)|sqlite_sequence)')
    return [line for line in project.dump().splitlines() if not ours.match(line)]


class Shop(Project):
    def __init__(self, folder):
        self.folder = folder
        subprocess.run([PROGRAM, "init", folder, "--quiet"], check=True, capture_output=True)


class PostgresShop(PostgresProject):
    """Its records are those of the same shop on SQLite."""

    def __init__(self, folder, url):
        self.folder, self.database = folder, url
        subprocess.run([PROGRAM, "init", folder, "--quiet"], check=True, capture_output=True)
        path = folder / "pattimpex.yaml"
        path.write_text(path.read_text().replace(Project.database, url))
        schema = (ROOT / "examples" / "shop" / "schema.sql").read_text()
        with contextlib.closing(sqlite3.connect(folder / "shop.db")) as old, contextlib.closing(psycopg2.connect(url)) as new, new, new.cursor() as cursor:
            cursor.execute(in_postgres_words(schema))
            for table in re.findall(r"CREATE TABLE (\w+)", schema):
                rows = [[None if value is None else str(value) for value in row] for row in old.execute(f"SELECT * FROM {table} ORDER BY 1")]
                cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        (folder / "shop.db").unlink()
        self.script("")


@pytest.fixture
def shop(tmp_path, database):
    """Makes the example shop in a folder."""
    return lambda folder=tmp_path: PostgresShop(folder, database) if database else Shop(folder)


@pytest.mark.parametrize("pattern", SHOP)
def test_example_shop(shop, pattern):
    check(shop(), pattern)


@pytest.mark.parametrize("format", FORMATS)
def test_example_shop_in_every_format(shop, format):
    project = shop()
    path = project.folder / "pattimpex.yaml"
    path.write_text(re.sub(r"^    format: .*$", f"    format: {FORMATS[format]}", path.read_text(), flags=re.M))
    for pattern in SHOP:
        check(project, pattern, format=format)


@pytest.mark.parametrize("database, format", BOTH, indirect=["database"])
@pytest.mark.parametrize("pattern", ["companies", "catalogue"])
def test_example_shop_nested(shop, pattern, format):
    project = shop()
    path = project.folder / "pattimpex.yaml"
    more = textwrap.indent(with_format(SHOP_MORE, format).split("patterns:\n")[1], "")
    path.write_text(path.read_text().replace("\npatterns:\n", "\npatterns:\n" + more, 1))
    check(project, pattern, format=format)


@pytest.mark.parametrize("database, format", BOTH, indirect=["database"])
@pytest.mark.parametrize("pattern, domain", REFERENCE_CASES)
def test_reference(reference, pattern, domain, format):
    check(reference(with_format(REFERENCE_MORE, format)), pattern, domain, format)


def everything(project):
    """A pattern of each model that has all its fields, and of each the domain that inactive records match too."""
    patterns, domains = {}, {}
    for model in [m["model"] for m in project.json("models")["models"]]:
        fields = [f for f in project.json("models", model)["fields"] if not f["read_only"]]
        own = [f["field"] for f in fields if f["relation"] is None and f["field"] != "id"]
        to_one = [f"{f['field']}/.id" for f in fields if f["type"] == "many2one"]
        to_many = [{"field": f"{f['field']}/.id", "occurrences": 200} for f in fields if f["type"] == "many2many"]
        items = [{"field": f["field"], "pattern": f"item-{f['relation'].split('.')[0]}", "occurrences": 4} for f in fields if f["type"] == "one2many"]
        patterns[f"all-{model}"] = {"model": model, "fields": [".id", *own, *to_one, *to_many, *items]}
        patterns[f"item-{model}"] = {"model": model, "fields": [".id", *own]}
        domains[f"all-{model}"] = "[('active', 'in', [True, False])]" if "active" in own else None
    return patterns, domains


@pytest.mark.parametrize("database, format", BOTH[:-2] + BOTH[-1:], indirect=["database"])
@pytest.mark.parametrize("which", ["shop", "reference"])
def test_every_field_of_every_model(shop, reference, which, format):
    check_everything({"shop": shop, "reference": reference}[which](), format)


def check_everything(project, format):
    patterns, domains = everything(project)
    settings = yaml.safe_load("format: " + re.sub("^    ", "", FORMATS[format], flags=re.M))
    (project.folder / "all.yaml").write_text(yaml.safe_dump({"patterns": {name: {**pattern, **settings} for name, pattern in patterns.items()}}))
    call = project.call
    project.call = lambda command, *arguments, **options: call(command, *arguments, "-c", "pattimpex.yaml", "-c", "all.yaml", **options)
    for pattern, domain in domains.items():
        check(project, pattern, domain, format)


def test_ids_given_by_an_export_are_there_when_it_comes_back(reference, tmp_path):
    """Also without history; a second export gives no others."""
    project = reference(with_format(REFERENCE_MORE, "csv"))
    first = project.call("export", "ids", "-o", "-", "--no-history").stdout
    ids = project.rows("SELECT count(*) FROM pattimpex_external_id WHERE module = '__export__'")[0][0]
    assert ids > 0
    assert project.call("export", "ids", "-o", "-").stdout == first
    assert project.rows("SELECT count(*) FROM pattimpex_external_id WHERE module = '__export__'")[0][0] == ids
    (tmp_path / "ids.csv").write_text(first, newline="")
    assert project.json("import", "ids", "ids.csv")["updated"] == 0
