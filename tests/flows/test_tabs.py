# SPDX-License-Identifier: Apache-2.0
"""Sheets of allowed values: which columns they hold for, however deep these lie, and what they are called."""
import openpyxl
import pytest
from openpyxl.utils import get_column_letter


FILTERS = """
filters:
  benelux: {model: res_country, domain: "[('code', 'in', ['BE', 'NL', 'LU'])]"}
  BENELUX: {model: res_country, domain: [[code, in, [BE]]]}
  "a name [of] a filter / that: is * far \\\\ too long?": {model: res_country, domain: [[code, '=', DE]]}
  "a name [of] a filter / that: is * far \\\\ too long!": {model: res_country, domain: [[code, '=', FR]]}
  "it's & <so>": {model: res_country, domain: [[code, '=', IT]]}
  nowhere: {model: res_country, domain: [[code, '=', ZZ]]}
"""
NESTED = FILTERS + """
patterns:
  contacts:
    model: res_partner
    format: xlsx
    header: HEADER
    fields:
      - {field: email, key: true}
      - {field: child_ids, pattern: child, occurrences: 2}
      - {field: country_id/code, tab: true, tab_filter: benelux}
      - {field: country_id/name, tab: true, tab_filter: [[code, '=', BE]]}
      - name
      - {field: category_id/name, occurrences: 3, tab: true}
  child:
    model: res_partner
    fields:
      - {field: country_id/code, key: true, tab: true, tab_filter: benelux}
      - name
      - {field: category_id/name, occurrences: 2, tab: true}
      - {field: child_ids, pattern: grandchild, occurrences: 2}
      - {field: type, tab: true}
  grandchild:
    model: res_partner
    fields: [.id, {field: state_id/country_id/code, tab: true}, {field: country_id/code, tab: true}, {field: type, tab: true}]
"""
CUSTOM = NESTED.replace("HEADER", "custom").replace("{field: email, key: true}\n", "{field: email, key: true, header: Mail}\n      - {header: Notes}\n", 1).replace(
    "occurrences: 2}\n      - {field: country_id/code", "occurrences: 2, header: Person}\n      - {header: More notes}\n      - {field: country_id/code", 1).replace(
    "occurrences: 3, tab", "occurrences: 3, header: Tag, tab")
NAMES = FILTERS + """
patterns:
  history:
    model: res_partner
    format: xlsx
    fields:
      - {field: country_id/code, tab: true, tab_filter: benelux}
      - {field: country_id/name, tab: true, tab_filter: BENELUX}
      - {field: state_id/country_id/code, tab: true, tab_filter: "a name [of] a filter / that: is * far \\\\ too long?"}
      - {field: state_id/country_id/name, tab: true, tab_filter: "a name [of] a filter / that: is * far \\\\ too long!"}
      - {field: parent_id/country_id/code, tab: true, tab_filter: "it's & <so>"}
      - {field: parent_id/country_id/name, tab: true, tab_filter: nowhere}
      - {field: parent_id/state_id/code, tab: true, tab_filter: [[country_id.code, '=', IT]]}
      - {field: type, tab: true}
      - {field: lang, tab: true}
"""


def book_of(project, pattern, *arguments):
    project.call("export", pattern, "-o", "out.xlsx", *arguments)
    return openpyxl.load_workbook(project.folder / "out.xlsx")


def lists(book, header_row):
    """Header -> (first row, last row, the values) of the list that holds for its column; every column has at most one."""
    sheet, found = book.worksheets[0], {}
    names = [cell.value for cell in sheet[header_row]]
    for rule in sheet.data_validations.dataValidation:
        title, _, cells = rule.formula1.rpartition("!")
        title = title[1:-1].replace("''", "'")
        values = [cell.value for (cell,) in book[title][cells.replace("$", "")]]
        assert (rule.type, rule.showErrorMessage, rule.allow_blank) == ("list", True, True)
        for area in rule.sqref.ranges:
            assert area.min_col == area.max_col
            name = names[area.min_col - 1]
            assert name and name not in found
            found[name] = (area.min_row, area.max_row, values)
    return found


@pytest.fixture
def make(reference):
    return reference


BENELUX, BELGIUM = ["BE", "LU", "NL"], ["Belgium"]
TYPES = ["contact", "invoice", "delivery", "other", "private"]


def wanted(countries, tags):
    """What each column of the pattern contacts allows, by its technical name."""
    allowed = {"country_id|code": BENELUX, "country_id|name": BELGIUM, **{f"category_id|{i}|name": tags for i in (1, 2, 3)}}
    for i in (1, 2):
        child = f"child_ids|{i}|"
        allowed |= {child + "country_id#key|code": BENELUX, child + "type": TYPES, child + "category_id|1|name": tags, child + "category_id|2|name": tags}
        for k in (1, 2):
            below = f"{child}child_ids|{k}|"
            allowed |= {below + "state_id|country_id|code": countries, below + "country_id|code": countries, below + "type": TYPES}
    return allowed


def reference_values(project):
    countries = [code for (code,) in project.rows("SELECT code FROM res_country ORDER BY id")]
    tags = [name for (name,) in project.rows("SELECT name FROM res_partner_category WHERE active ORDER BY id")]
    return countries, list(dict.fromkeys(tags))


@pytest.mark.parametrize("style, first", [("technical", 2), ("description_and_tech", 3)])
def test_every_column_of_items_of_items_has_its_list(make, style, first):
    project = make(NESTED.replace("HEADER", style))
    book = book_of(project, "contacts", "--filter", "[('email', 'in', ['acme@x.test', 'alice@x.test'])]")
    assert book.sheetnames == ["contacts", "(benelux)", "Partner Tags Tag Name", "Country Code", "Address Type", "Country Name"]
    allowed = wanted(*reference_values(project))
    assert lists(book, first - 1) == {name: (first, first + 1 + 1000, values) for name, values in allowed.items()}


def test_own_names_and_empty_columns_move_the_lists_along(make):
    project = make(CUSTOM)
    book = book_of(project, "contacts", "--filter", "[('email', '=', 'acme@x.test')]")
    names = [cell.value for cell in book.worksheets[0][1]]
    assert names[:3] == ["Mail", "Notes", "Person 1 country_id#key|code"] and names[-5:] == ["country_id|name", "name", "Tag 1", "Tag 2", "Tag 3"]
    allowed = {}
    for name, values in wanted(*reference_values(project)).items():
        head, _, rest = name.partition("|")
        item, _, behind = rest.partition("|")
        own = {"child_ids": f"Person {item} {behind}", "category_id": f"Tag {item}"}.get(head, name)
        allowed[own] = (2, 2 + 1000, values)
    assert lists(book, 1) == allowed


def test_names_of_sheets(make):
    """At most 31 characters, none that a sheet may not have, no two the same whatever their case, and not the word History."""
    book = book_of(make(NAMES), "history", "--filter", "[('id', '=', 41)]")
    names = book.sheetnames
    assert names[:3] == ["history (2)", "(benelux)", "(BENELUX) (2)"]
    assert names[3] == "(a name _of_ a filter _ that_ i" and len(names[4]) == 31 and names[4].endswith("(2)")
    assert names[5:] == ["(it's & <so>)", "(nowhere)", "Country state State Code", "Address Type", "Language"]
    assert len({name.lower() for name in names}) == len(names)
    columns = lists(book, 1)
    assert {name: values for name, (_, _, values) in columns.items() if len(values) == 1} == {
        "country_id|name": ["Belgium"], "state_id|country_id|code": ["DE"], "state_id|country_id|name": ["France"],
        "parent_id|country_id|code": ["IT"], "lang": ["en_US"]}
    # nothing is allowed: there is no list to choose from, and the sheet says so
    assert "parent_id|country_id|name" not in columns and [cell.value for cell in book["(nowhere)"]["A"]] == ["(nowhere)"]


def test_a_list_of_many_columns(make):
    """250 items of 3 columns: each has its list, and the letters of the columns go on behind Z and ZZ."""
    project = make("""
        patterns:
          wide: {model: res_partner, format: xlsx, fields: [name, {field: child_ids, pattern: child, occurrences: 250}]}
          child: {model: res_partner, fields: [{field: type, tab: true}, {field: country_id/code, tab: true}, name]}
        """)
    book = book_of(project, "wide", "--filter", "[('id', '=', 46)]")
    found = lists(book, 1)
    assert len(found) == 500 and get_column_letter(750) == "ABV"
    assert found["child_ids|250|type"][2] == TYPES
