# SPDX-License-Identifier: Apache-2.0
"""What documents point at is there: relative links, and paths of the tree in `code`."""
import re

from sources import ROOT, all_files, read, sources

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
TREE = re.compile(r"`((?:src|tests|scripts|docs|bench|examples)/[\w./-]+)`")


def findings():
    found = []
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
