# SPDX-License-Identifier: Apache-2.0
"""What documents point at is there (relative links, paths of the tree in `code`), and differences from the modules are told."""
import re

from sources import ROOT, all_files, read, sources

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
TREE = re.compile(r"`((?:src|tests|scripts|docs|bench|examples)/[\w./-]+)`")


def untold_differences():
    """Cases in which the Odoo modules did something else, and that docs/differences.md does not name."""
    told = {int(n) for group in re.findall(r"\(([\d, ]+)\)", read("docs/differences.md")) for n in re.findall(r"\d+", group)}
    for case in sorted((ROOT / "tests" / "conformance" / "cases").iterdir()):
        if re.search(r"^differs:", (case / "case.yaml").read_text(), re.M) and int(case.name.partition("-")[0]) not in told:
            yield f"docs/differences.md: the case {case.name} differs from what the modules did, and is not named"


def findings():
    found = list(untold_differences())
    for file in sources("md"):
        if file.startswith("tests/conformance/"):
            continue
        for number, line in enumerate(read(file).splitlines(), 1):
            for target in LINK.findall(line):
                if "://" not in target and not (ROOT / file).parent.joinpath(target).exists():
                    found.append(f"{file}:{number}: {target} is not there")
            for target in TREE.findall(line):
                if not (ROOT / target).exists():
                    found.append(f"{file}:{number}: {target} is not there")
    for file in all_files():
        if file.endswith((".c", ".h", ".py", ".sh")) and not file.startswith("tests/conformance/"):
            if not any("SPDX-License-Identifier: Apache-2.0" in line for line in read(file).splitlines()[:3]):
                found.append(f"{file}: the licence line is missing")
    return found
