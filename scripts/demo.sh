#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on the example shop, from files dropped in to files given back: demo.sh PROGRAM. Can be run again and again.
set -eu
program=$(realpath "$1")
shop=demo-shop

tell() {
  printf '\n== %s\n' "$*"
}

# show COMMAND...: the command as a person would type it, then what it prints.
show() {
  printf '$ %s\n' "$*"
  "$@" || status=$?
  : "${status:=0}"
}

pattimpex() {
  "$program" "$@"
}

rm -rf "$shop"
tell "A ready example: a configuration, a SQLite database with a shop's records, and files that partners dropped."
show pattimpex init "$shop"
cd "$shop"
show ls -l drop/in

tell "Is everything right? Configuration, schema, storages and keys are looked at."
show pattimpex check

tell "All tasks run: files are fetched and imported, moved out of the way, bad rows given back, exports written."
show pattimpex run

tell "What the folder looks like now: inputs in done/, rows to correct in errors/, exports in out/."
show find drop -type f

tell "Bad rows went back in the file's own format, with the reasons in a first column #Error."
for file in drop/errors/*; do
  show head -n 8 "$file"
done

tell "An export, its first lines."
for file in drop/out/*; do
  show head -n 4 "$file"
done

tell "The tasks and the files that went through."
show pattimpex tasks
show pattimpex files

tell "A second run finds nothing new and changes nothing."
show pattimpex run

tell "Look around in ./$shop; README.md goes on from here."
