# SPDX-License-Identifier: Apache-2.0
"""Runs what docs/*.md show: every block of ```yaml is configuration, laid over that of the example shop, and has to pass `check --offline`;
a block of ```csv NAME: 2 created, 1 failed (or ```json) is imported by pattern NAME (dry) and has to be counted so; one of ```csv NAME export
DOMAIN is what that pattern exports; one of ```csv NAME plan is the plan of the file in the block before, as far as its columns go.
"""
import csv
import json
import os
import re
import subprocess

COUNTS = ("created", "updated", "unchanged", "failed", "skipped")


def blocks(text):
    """(information, body, line of the document)"""
    for match in re.finditer(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```", text, re.M | re.S):
        yield match[1], match[2] or "", match[3], text.count("\n", 0, match.start()) + 1


class Document:
    def __init__(self, path, program, shop):
        self.path, self.program, self.shop, self.configs, self.environment = path, program, shop, [], dict(os.environ)

    def call(self, *arguments):
        options = [option for config in ["pattimpex.yaml", *self.configs] for option in ("-c", config)]
        return subprocess.run([self.program, *options, *arguments], cwd=self.shop, env=self.environment, text=True, capture_output=True,
                              timeout=120)

    def yaml(self, body, line):
        name = f"{self.path.stem}-{line}.yaml"
        (self.shop / name).write_text(body)
        for directory in re.findall(r"directory: ([\w-]+)", body):
            (self.shop / directory).mkdir(exist_ok=True)
        for secret in re.findall(r"\{file: ([\w-]+)\}", body):
            (self.shop / secret).write_text("secret\n")
        self.environment |= {variable: "value" for variable in re.findall(r"\$\{([A-Z_]+)\}", body)}
        self.configs.append(name)
        done = self.call("check", "--offline")
        if done.returncode:
            self.configs.pop()
        return done.stdout + done.stderr if done.returncode else None

    def rows_import(self, pattern, counts, kind, body):
        (self.shop / f"example.{kind}").write_text(body)
        done = self.call("import", pattern, f"example.{kind}", "--dry-run", "--json")
        try:
            summary = json.loads(done.stdout)
        except ValueError:
            return done.stdout + done.stderr
        if counts == "refused":
            return None if summary["state"] == "refused" else json.dumps(summary, indent=1)
        wanted = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", counts)}
        good = all(summary[word] == wanted.get(word, 0) for word in COUNTS) and set(wanted) <= set(COUNTS)
        return None if good else json.dumps(summary, indent=1)

    def rows_export(self, pattern, domain, body):
        done = self.call("export", pattern, "-o", "-", "--no-history", *(["--filter", domain] if domain else []))
        return None if done.stdout.replace("\r\n", "\n") == body else done.stdout + done.stderr

    def rows_plan(self, pattern, body):
        done = self.call("import", pattern, "example.csv", "--dry-run", "--plan", "plan.csv")
        wanted = list(csv.reader(body.splitlines()))
        with open(self.shop / "plan.csv", newline="") as file:
            lines = [line for line in csv.DictReader(file) if line["action"] not in ("plan", "end")]
        got = [wanted[0], *([line[column] for column in wanted[0]] for line in lines)]
        return None if got == wanted else done.stdout + done.stderr + "\n".join(map(",".join, got))

    def problems(self):
        """(what, problem or None) for each block that is run."""
        for kind, information, body, line in blocks(self.path.read_text()):
            where = f"{self.path.name}:{line}"
            if kind == "yaml":
                yield f"{where} check", self.yaml(body, line)
            elif kind in ("csv", "json") and " export" in f" {information}":
                pattern, _, domain = information.partition(" export")
                yield f"{where} export {pattern}", self.rows_export(pattern, domain.strip(), body)
            elif kind == "csv" and information.endswith(" plan"):
                pattern = information.removesuffix(" plan")
                yield f"{where} plan {pattern}", self.rows_plan(pattern, body)
            elif kind in ("csv", "json") and information:
                pattern, _, counts = information.partition(":")
                yield f"{where} import {pattern}", self.rows_import(pattern, counts.strip(), kind, body)
