#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the workbook of the example shop, as an office would: make_shop_workbook.py examples/shop/drop/in/contacts.xlsx.

Good rows, seven kinds of bad ones, and what people put into workbooks: colours, a frozen header, a comment, a second sheet.
"""
import datetime
import sys

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

LABELS = ["Email", "Name", "Company", "Country", "Kind of address", "Payment days", "Credit limit", "Customer since", "Notes"]
HEADER = ["email#key", "name", "parent_id|email", "country_id|code", "type", "payment_days", "credit_limit", "customer_since", "notes"]
DAY = datetime.date(2025, 3, 14)
ROWS = [
    ["lena@contacts.example", "Lena Vogel", None, "DE", "Contact", 30, 1500, DAY, "prefers the phone"],
    ["omar@contacts.example", "Omar Haddad", None, "FR", "contact", 14, 250.5, datetime.date(2024, 2, 29), None],
    ["ines@contacts.example", "Inês Duarte", None, "PT", "delivery", 30, 0, None, "two lines:\nring twice"],
    ["post@nowhere.example", "No Such Country", None, "XQ", "contact", 30, None, None, None],
    ["half@days.example", "Half A Day", None, "BE", "contact", 30.5, None, None, None],
    ["day@month.example", "Day Before Month", None, "IT", "contact", 30, None, "31/12/2025", None],
    ["na@lookup.example", "Lookup Failed", None, "NL", "contact", 30, "#N/A", None, None],
    ["formula@never.example", "Never Calculated", None, "GB", "contact", 30, "=F10*50", None, None],
    ["nobody@contacts.example", None, None, "ES", "contact", 30, None, None, None],
    ["where@orphan.example", "Where Is My Company", "no-such@company.example", "AT", "contact", 30, None, None, None],
    ["mila@contacts.example", "Mila Kos", None, "PL", "invoice", 60, 900, DAY, None],
]


def main(path):
    book = Workbook()
    sheet = book.active
    sheet.title = "Contacts 2026"
    sheet.append(LABELS)
    sheet.append(HEADER)
    for row in ROWS:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="3B5B7A")
    for cell in sheet[2]:
        cell.font = Font(italic=True, color="808080")
    for column, width in zip("ABCDEFGHI", (28, 24, 28, 12, 18, 14, 14, 16, 30)):
        sheet.column_dimensions[column].width = width
    for row in range(3, len(ROWS) + 3):
        sheet.cell(row, 7).number_format = "#,##0.00"
        if isinstance(sheet.cell(row, 8).value, datetime.date):
            sheet.cell(row, 8).number_format = "dd/mm/yyyy"
    sheet.freeze_panes = "A3"
    sheet["B3"].comment = Comment("moved to Hamburg in May", "Office")
    kinds = DataValidation(type="list", formula1='"contact,invoice,delivery"', allow_blank=True)
    kinds.add("E3:E200")
    sheet.add_data_validation(kinds)
    notes = book.create_sheet("Please read")
    notes["A1"] = "One person a row; leave the second row as it is."
    book.properties.creator = "pattimpex"
    book.properties.created = book.properties.modified = datetime.datetime(2026, 1, 5)
    book.save(path)


if __name__ == "__main__":
    main(sys.argv[1])
