/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names and paths of files in a storage. Problems are static text, NULL: there is none. */
#include <glib.h>
#include <stdbool.h>

#define PX_TEMPORARY_PREFIX ".pattimpex-tmp-"

/* As px_storage_name_problem(), but ".pattimpex-" is allowed: for the names that the program gives. */
const char *px_name_problem_of_own(const char *name);
/* Whether name is one that a file has while it is being dealt with: ".pattimpex-" and a number. */
bool px_name_is_leftover(const char *name);
/* name for 0, else stem-number.suffix, cut to 255 bytes. Caller frees. */
char *px_name_numbered(const char *name, unsigned number);
/* A name that no other file has: the prefix and random digits; caller frees *ret_name. PX_ERROR_INTERNAL. */
bool px_name_temporary(const char *suffix, char **ret_name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* How messages call a file, or the directory path where name is NULL. Caller frees. */
char *px_name_place(const char *path, const char *name);
/* path without empty and "." parts; caller frees *ret_path. */
const char *px_name_clean_path(const char *path, char **ret_path);
