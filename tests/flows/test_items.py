# SPDX-License-Identifier: Apache-2.0
"""Records within records, as partners write them: gaps, empty items, keys among children, children of children, in every format."""
import csv
import datetime
import json

import openpyxl
import pytest

KINDS = ["csv", "xlsx", "json"]
PATTERNS = """
patterns:
  plain: {model: res_partner, format: KIND}
  purge: {model: res_partner, format: KIND, purge_one2many: true}
  add: {model: res_partner, format: KIND, update_many2many: true}
  local:
    model: res_partner
    format: KIND
    date_format: ["%d.%m.%Y"]
    booleans: [ja, nein]
    decimal_comma: true
    fields: [{field: email, key: true}, date, {field: child_ids, pattern: child, occurrences: 2}]
  child:
    model: res_partner
    date_format: ["%Y/%m/%d"]
    booleans: [oui, non]
    fields:
      - name
      - {field: date, date_format: "%d/%m/%Y"}
      - is_company
      - partner_latitude
      - {field: country_id/code, domain: [[code, in, [BE, FR]]]}
      - {field: category_id/name, occurrences: 2, domain: "[('name', '!=', 'Gold')]"}
      - {field: child_ids, pattern: child-of-child, occurrences: 1}
  child-of-child:
    model: res_partner
    fields: [name, {field: date, date_format: "%m-%d-%Y"}, {field: state_id/code, domain: "[('country_id.code', '=', 'US')]"}]
"""


@pytest.fixture(params=KINDS)
def shop(request, reference):
    project = reference(PATTERNS.replace("KIND", request.param))
    project.kind = request.param
    return project


def load(shop, pattern, header, *rows):
    """Rows of texts; None is an empty cell."""
    header = header.split(",")
    path = shop.folder / f"in.{shop.kind}"
    if shop.kind == "csv":
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([header, *[["" if cell is None else cell for cell in row] for row in rows]])
    elif shop.kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (header, *rows):
            book.active.append(row)
        book.save(path)
    else:
        path.write_text(json.dumps([dict(zip(header, row)) for row in rows]))
    return shop.json("import", pattern, path, status=None)


def told(shop, summary):
    """(which of the rows, from 0; column; text)"""
    first = 1 if shop.kind == "json" else 2
    return [(m["row"] - first, m["column"], m["message"]) for m in summary["messages"]]


def exported(shop, header):
    """What the first record of out has in these columns."""
    path = shop.folder / f"out.{shop.kind}"
    if shop.kind == "csv":
        with open(path, newline="") as file:
            row = next(csv.DictReader(file))
    elif shop.kind == "xlsx":
        rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
        row = dict(zip(*rows))
    else:
        row = json.loads(path.read_text())[0]
    return [row[name] for name in header]


def children(shop, email):
    return shop.rows("SELECT c.name FROM res_partner c JOIN res_partner p ON c.parent_id = p.id WHERE p.email = ? ORDER BY c.id", email)


def tags(shop, name):
    return [tag for (tag,) in shop.rows("SELECT t.name FROM res_partner_res_partner_category_rel r JOIN res_partner p ON p.id = r.partner_id "
                                        "JOIN res_partner_category t ON t.id = r.category_id WHERE p.name = ? ORDER BY t.name", name)]


def test_items_begin_anywhere_and_have_gaps(shop):
    summary = load(shop, "plain", "email#key,child_ids|7|name,child_ids|7|category_id|9|name,child_ids|7|category_id|3|name,child_ids|2|name,"
                                  "child_ids|2|child_ids|4|name,child_ids|2|child_ids|4|category_id|2|name,category_id|5|name,category_id|1|name",
                   ["acme@x.test", None, None, None, "Two", "Grandchild", "Silver", None, "Gold"],
                   ["globex@x.test", "Seven", "Gold", None, None, None, None, "Silver", None],
                   ["bob@x.test", None, None, None, None, None, None, None, None])
    assert (summary["messages"], summary["updated"], summary["unchanged"]) == ([], 2, 1)
    assert children(shop, "acme@x.test")[-1] == ("Two",) and children(shop, "globex@x.test")[-1] == ("Seven",)
    assert [tags(shop, name) for name in ("ACME", "Grandchild", "Seven", "Globex")] == [["Gold"], ["Silver"], ["Gold"], ["Silver"]]
    assert shop.rows("SELECT p.name FROM res_partner c JOIN res_partner p ON c.parent_id = p.id WHERE c.name = 'Grandchild'") == [("Two",)]


def test_a_key_of_a_child_is_looked_for_beneath_its_parent_alone(shop):
    """carl@x.test is a child of ACME: with a new parent another one is made, and found when the row comes again."""
    rows = [["new@x.test", "New", "carl@x.test", "Carl", "sara@x.test", "Sara"], ["acme@x.test", "ACME", "carl@x.test", "Carl", None, None],
            ["new@x.test", "New", "carl@x.test", "Carl the second", "sara@x.test", "Sara the second"]]
    header = "email#key,name,child_ids|1|email#key,child_ids|1|name,child_ids|1|child_ids|1|email#key,child_ids|1|child_ids|1|name"
    summary = load(shop, "plain", header, *rows)
    assert (summary["created"], summary["updated"], summary["unchanged"], summary["messages"]) == (1, 1, 1, [])
    assert shop.rows("SELECT name FROM res_partner WHERE email = 'carl@x.test' ORDER BY id") == [("Carl",), ("Carl the second",)]
    assert shop.rows("SELECT c.name, p.name FROM res_partner c JOIN res_partner p ON c.parent_id = p.id WHERE c.email = 'sara@x.test' "
                     "ORDER BY c.id") == [("Sara", "ACME"), ("Sara the second", "Carl the second")]
    assert load(shop, "plain", header, rows[1], rows[2])["unchanged"] == 2


def test_deep_paths_through_lists_of_the_related_record(shop):
    summary = load(shop, "plain", "email#key,country_id|state_ids|code,parent_id|category_id|name,state_id|country_id|currency_id|name",
                   ["alice@x.test", "NSW", None, None], ["bob@x.test", "CA", None, None], ["acme@x.test", None, "Gold", None],
                   ["globex@x.test", None, None, "CHF"])
    assert told(shop, summary) == [(1, "country_id|state_ids|code", 'Country: more than one Country has States|State Code "CA"'),
                             (3, "state_id|country_id|currency_id|name", 'State: no Country state has Country|Currency|Currency "CHF"')]
    assert shop.rows("SELECT c.code FROM res_partner p JOIN res_country c ON c.id = p.country_id WHERE p.email = 'alice@x.test'") == [("AU",)]
    assert shop.rows("SELECT p.name FROM res_partner c JOIN res_partner p ON c.parent_id = p.id WHERE c.email = 'acme@x.test'") == [("Alice",)]


def test_items_of_a_many2many_by_any_field_also_of_the_other_side(shop):
    summary = load(shop, "plain", "email#key,category_id|1|partner_ids|email,category_id|4|.id", ["bob@x.test", "alice@x.test", None],
                   ["acme@x.test", None, "9"], ["globex@x.test", None, "8000"])
    assert told(shop, summary) == [(2, "category_id|4|.id", "Tags: no Partner Tags has ID 8000")]
    assert (tags(shop, "Bob"), tags(shop, "ACME")) == (["Gold"], ["Silver"])


def test_external_ids_of_items(shop):
    summary = load(shop, "plain", "id,name,child_ids|1|id,child_ids|1|name,child_ids|2|id,child_ids|2|name,parent_id|id",
                   ["t.a", "A", "t.b", "B", "c", "C", None], ["t.d", "D", None, None, None, None, "__import__.c"],
                   ["t.a", "A", "c", "Moved nowhere", "t.b", "B", None], ["t.e", "E", None, None, None, None, "t.nobody"])
    assert told(shop, summary) == [(3, "parent_id|id", 'Related Company: no Contact has external id "t.nobody"')]
    assert shop.rows("SELECT module || '.' || x.name, p.name FROM pattimpex_external_id x JOIN res_partner p ON p.id = res_id ORDER BY p.id") == [
        ("t.a", "A"), ("t.b", "B"), ("__import__.c", "Moved nowhere"), ("t.d", "D")]


def test_what_is_no_external_id(shop):
    summary = load(shop, "plain", "id,name,parent_id|id", [".x", "A", None], ["x.", "B", None], ["t.x", "C", ".y"], ["a.b.c", "D", None])
    assert told(shop, summary) == [(i, column, f'"{text}" is no external id: write module.name, or a name alone')
                                   for i, (column, text) in enumerate([("id", ".x"), ("id", "x."), ("parent_id|id", ".y")])]
    assert shop.rows("SELECT module, name FROM pattimpex_external_id") == [("a", "b.c")]


def test_a_purge_reaches_every_level(shop):
    load(shop, "plain", "email#key,child_ids|1|email#key,child_ids|1|child_ids|1|name,child_ids|1|child_ids|2|name",
         ["acme@x.test", "carl@x.test", "One", "Two"])
    summary = load(shop, "purge", "email#key,child_ids|1|email#key,child_ids|1|child_ids|5|name#key", ["acme@x.test", "carl@x.test", "Two"])
    assert (summary["updated"], summary["messages"]) == (1, [])
    assert children(shop, "acme@x.test") == [("Carl",)] and children(shop, "carl@x.test") == [("Two",)]


def test_added_links_reach_every_level(shop):
    header = "email#key,category_id|1|name,child_ids|1|email#key,child_ids|1|category_id|1|name"
    rows = [["acme@x.test", "Gold", "carl@x.test", "Gold"], ["acme@x.test", "Silver", "carl@x.test", "Silver"]]
    load(shop, "add", header, *rows)
    assert tags(shop, "ACME") == tags(shop, "Carl") == ["Gold", "Silver"]
    load(shop, "plain", header, rows[1])
    assert tags(shop, "ACME") == tags(shop, "Carl") == ["Silver"]


def test_options_of_the_pattern_and_of_its_fields_reach_items(shop):
    """Of a field: those of the pattern of the items; of the pattern: those that the file is read by."""
    header = ("email#key,date,child_ids|1|name,child_ids|1|date,child_ids|1|is_company,child_ids|1|partner_latitude,child_ids|1|country_id|code,"
              "child_ids|1|category_id|1|name,child_ids|1|child_ids|1|name,child_ids|1|child_ids|1|date,child_ids|1|child_ids|1|state_id|code")
    summary = load(shop, "local", header, ["acme@x.test", "01.02.2024", "Kid", "31/12/2023", "ja", "1,5", "BE", "Silver", "Grandkid", "02-29-2024", "CA"],
                   ["bob@x.test", "01/02/2024", "Kid", "31.12.2023", "oui", "1.5.0", "LU", "Gold", "Grandkid", "29.02.2024", "NSW"])
    messages = {column: text for _, column, text in told(shop, summary)}
    assert set(messages) == {name for name in header.split(",") if not name.endswith(("#key", "|1|name")) or "category_id" in name}
    assert all("left out by the domain" in text for column, text in messages.items() if column.endswith("code") or "category_id" in column)
    assert summary["updated"] == 1
    assert shop.rows("SELECT name, date, is_company, partner_latitude FROM res_partner WHERE id > 51 ORDER BY id") == [
        ("Kid", "2023-12-31", 1, 1.5), ("Grandkid", "2024-02-29", 0, None)]


def test_what_such_a_pattern_exports(shop):
    header = "email#key,child_ids|1|name,child_ids|1|date,child_ids|1|is_company,child_ids|1|child_ids|1|name,child_ids|1|child_ids|1|date"
    values = ["bob@x.test", "Kid", "31/12/2023", "ja", "Grandkid", "02-29-2024"]
    load(shop, "local", header, values)
    shop.call("export", "local", "-o", f"out.{shop.kind}", "--filter", "[('email', '=', 'bob@x.test')]")
    assert exported(shop, header.split(",")) == {
        "csv": values,
        "json": values,
        # cells of a workbook have a type, and are dates however they are written
        "xlsx": [datetime.datetime(2023, 12, 31) if v == "31/12/2023" else datetime.datetime(2024, 2, 29) if v == "02-29-2024" else v for v in values],
    }[shop.kind]


def test_a_bad_item_is_told_by_its_own_column(shop):
    summary = load(shop, "plain", "email#key,child_ids|1|name,child_ids|1|color,child_ids|2|name,child_ids|2|country_id|code,child_ids|2|category_id|1|name",
                   ["acme@x.test", "One", "red", "Two", "ZZ", "Nothing"])
    assert told(shop, summary) == [(0, "child_ids|1|color", 'Color Index: "red" is no integer'),
                             (0, "child_ids|2|country_id|code", 'Country: no Country has Country Code "ZZ"'),
                             (0, "child_ids|2|category_id|1|name", 'Tags: no Partner Tags has Tag Name "Nothing"')]
    assert children(shop, "acme@x.test") == [("Carl",), ("Sara",)]


def test_check_asks_for_an_index_where_lists_are_read(reference):
    project = reference("""
        patterns:
          tags: {model: res_partner, fields: [name, {field: category_id/name, occurrences: 2}, {field: child_ids, pattern: child}]}
          child: {model: res_partner, fields: [name]}
        """)
    told = ("no index of table res_partner_res_partner_category_rel begins with partner_id: what records have in category_id is found by "
            "reading the whole table")
    checked = project.call("check")
    assert (checked.stdout + checked.stderr).count("no index of table") == 1 and told in checked.stdout + checked.stderr
    project.execute("CREATE INDEX partner_tags ON res_partner_res_partner_category_rel (partner_id)")
    checked = project.call("check")
    assert "no index" not in checked.stdout + checked.stderr
