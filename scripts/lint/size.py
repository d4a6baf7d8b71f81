# SPDX-License-Identifier: Apache-2.0
"""A file stays under 800 lines, a function under 80, a line within 150 characters."""
import ast
import re

from sources import read, sources

FILE_LINES = 800
FUNCTION_LINES = 80
LINE_CHARACTERS = 150
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')     # a sentence is not cut for the sake of its length
NAME = re.compile(r"(\w+)\(")


def c_functions(lines):
    """(name, first line, last line); clang-format puts the braces of a function where this looks for them."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"^[A-Za-z_]", line) and "(" in line and not line.rstrip().endswith(";"):
            start = number
        if start is not None and line.startswith("}"):
            match = NAME.search(lines[start - 1])
            yield (match[1] if match else "?"), start, number
            start = None
        elif start is not None and line and not line.startswith((" ", "#", "/", "{")) and number != start and not re.match(r"^\w+:", line):
            start = number if "(" in line and not line.rstrip().endswith(";") else None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def findings():
    found = []
    for file in sources("c", "h", "py", "sh", "sql"):
        text = read(file)
        lines = text.splitlines()
        if file.startswith("tests/conformance/"):
            continue                    # brought in as it is
        if len(lines) >= FILE_LINES:
            found.append(f"{file}: {len(lines)} lines; a file stays under {FILE_LINES}")
        if file.endswith(".sql"):
            continue                    # lists of columns and rows
        found += [f"{file}:{n}: {len(line)} characters; a line has at most {LINE_CHARACTERS}"
                  for n, line in enumerate(lines, 1) if len(STRING.sub("", line)) > LINE_CHARACTERS]
        functions = c_functions(lines) if file.endswith(".c") else python_functions(text) if file.endswith(".py") else ()
        found += [f"{file}:{first}: {name} has {last - first + 1} lines; a function stays under {FUNCTION_LINES}"
                  for name, first, last in functions if last - first + 1 >= FUNCTION_LINES]
    return found
