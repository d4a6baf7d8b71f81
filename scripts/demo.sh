#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on the example shop, from files dropped in to files given back: demo.sh PROGRAM. Can be run again and again.
set -eu
PATH=$(dirname "$(realpath "$1")"):$PATH
export PATH
shop=demo-shop

tell() {
  printf '\n== %s\n' "$*"
}

# show COMMAND: as a person would type it, then what it prints. Its exit status is the reader's to see, not the script's to stop at.
show() {
  printf '\n$ %s\n' "$1"
  sh -c "$1" || printf '[exit %d]\n' $?
}

tell "A ready example: a configuration, a SQLite database with a shop's records, and files that partners dropped."
rm -rf "$shop"
show "pattimpex init --quiet $shop"
cd "$shop"
show "ls drop/in"
show "head -n 4 drop/in/partners-with-errors.csv"

tell "Is everything right? Configuration, schema, storages and keys are looked at."
show "pattimpex check"

tell "All tasks run: files are fetched, imported and put away, bad rows given back, exports written."
show "pattimpex run"

tell "The folder now: inputs in done/, rows to correct in errors/, exports in out/."
show "find drop -type f | sort"

tell "The bad rows went back in the file's own format, each with its reasons in a first column #Error."
show "head -n 8 drop/errors/partners-with-errors.csv"

tell "An export: French companies, by name."
show "head -n 5 drop/out/partners-fr-*.csv"

tell "The orders were fetched and held, as their task says (process: manual). Now they may go on."
show "pattimpex attachments --state pending"
show "pattimpex attachments run --pending"

tell "What went through, and the tasks."
show "pattimpex files"
show "pattimpex tasks"

tell "The second run finds nothing new."
show "pattimpex run"

tell "The shop is in ./$shop; README.md goes on from here."
