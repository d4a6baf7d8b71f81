/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The configuration as parsed: a merged tree of nodes, each knowing where it was written. Knows no model.
 *
 * Several files (-c A -c B, include:) are merged key by key, the later one wins; sequences and scalars are replaced as a
 * whole. A file wins over what it includes. ${ENV} and {file: PATH} are replaced in parsed scalar values only (design section
 * 9), after the merge, and such a value is secret: px_config_dump() hides it. Only ${NAME} with NAME of [A-Z_][A-Z0-9_]* is the
 * environment's; $${NAME} is the text ${NAME}; any other ${...} stays as it is.
 * Relative paths in a configuration are relative to the directory of its first file.
 */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PxConfig PxConfig;
typedef struct PxConfigNode PxConfigNode; /* borrowed from its PxConfig, immutable */

typedef enum { PX_NODE_NULL, PX_NODE_SCALAR, PX_NODE_SEQUENCE, PX_NODE_MAP } PxNodeType;

/* ---- loading */

/* Reads and merges the files. PX_ERROR_CONFIG names file and line of the first syntax error or cycle of include:. */
PxConfig *px_config_load(const char *const *paths, size_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same from text; origin stands for the file name in complaints. JSON is YAML too. */
PxConfig *px_config_parse(const char *text, const char *origin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_config_free(PxConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxConfig, px_config_free)

const PxConfigNode *px_config_root(const PxConfig *config);
/* path, from the directory of the first file (of parsed text: the working directory), made absolute or relative to the working directory; ~/ is
 * the home directory. Caller frees. */
char *px_config_resolve_path(const PxConfig *config, const char *path);

/* ---- reading nodes; every function takes NULL for a node that is not there */

PxNodeType px_node_type(const PxConfigNode *node);
const PxConfigNode *px_node_get(const PxConfigNode *map, const char *key);
size_t px_node_count(const PxConfigNode *node);                     /* of a sequence or a map, else 0 */
const PxConfigNode *px_node_at(const PxConfigNode *node, size_t i); /* item of a sequence, value of a map */
const char *px_node_key_at(const PxConfigNode *map, size_t i);      /* key of a map */
const char *px_node_text(const PxConfigNode *scalar);               /* NULL when it is no scalar */
bool px_node_is_quoted(const PxConfigNode *scalar);                 /* "yes" is text, yes is a boolean */
const char *px_node_file(const PxConfigNode *node);
unsigned px_node_line(const PxConfigNode *node); /* from 1 */
bool px_node_is_secret(const PxConfigNode *node);
/* How a message speaks of the node: its text in double quotes, "a list", "a map"; never a secret. Caller frees. */
char *px_node_shown(const PxConfigNode *node);
/* The node as one line of JSON, secrets in plain: for keeping a pattern with its file. px_config_parse() of it gives the same
 * texts, ${...} among them. Caller frees. */
char *px_node_to_json(const PxConfigNode *node);

/* ---- complaints: all of them are collected, then shown at once */

typedef struct PxComplaints PxComplaints;

PxComplaints *px_complaints_new(void);
void px_complaints_free(PxComplaints *complaints);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxComplaints, px_complaints_free)
/* "file:line: text". node may be NULL: no place. */
void px_complain(PxComplaints *complaints, const PxConfigNode *node, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same, but only a warning: does not make the configuration wrong. */
void px_warn(PxComplaints *complaints, const PxConfigNode *node, const char *format, ...) G_GNUC_PRINTF(3, 4);
size_t px_complaints_errors(const PxComplaints *complaints);
size_t px_complaints_count(const PxComplaints *complaints);
typedef struct {
  const char *file; /* NULL: no place */
  unsigned line;
  bool is_warning;
  const char *text;
} PxComplaint;
const PxComplaint *px_complaints_at(const PxComplaints *complaints, size_t i);
/* "file:line: warning: text". Caller frees. */
char *px_complaint_text(const PxComplaint *complaint);
/* PX_ERROR_CONFIG with all errors, a line each; true when there is none. */
bool px_complaints_to_error(const PxComplaints *complaints, GError **error);

/* ---- checked structs: a table says which keys a map may have and where their values go */

typedef enum {
  PX_KEY_STRING,   /* char *, g_strdup'ed */
  PX_KEY_BOOLEAN,  /* bool */
  PX_KEY_UNSIGNED, /* uint64_t; min and max are checked */
  PX_KEY_SIZE,     /* uint64_t bytes: 64MiB, 10 MB, 1000 */
  PX_KEY_DURATION, /* int64_t microseconds: 2s, 5m, 1h30m, 7d, or "30 seconds" */
  PX_KEY_CHOICE,   /* int: the index of the word in choices */
  PX_KEY_STRINGS,  /* char ** (g_strv): a sequence of scalars, or one scalar */
  PX_KEY_NODE,     /* const PxConfigNode *: for the room to read itself */
} PxKeyType;

typedef struct {
  const char *name;
  PxKeyType type;
  size_t offset; /* of the member in the struct */
  bool required;
  const char *const *choices; /* NULL-terminated, for PX_KEY_CHOICE */
  uint64_t min, max;          /* for PX_KEY_UNSIGNED; max 0: no limit */
} PxKey;

/* Fills target from map. A key that the table lacks ("did you mean"), a wrong type, a missing required key is a complaint;
 * what is not given (or null) is left as target has it, so defaults are set before. Strings put into target belong to the
 * caller; a default that is replaced is freed, so it must be on the heap or NULL.
 * what is how messages call the map: "import task partners-in". */
void px_config_read(const PxConfigNode *map, const PxKey *keys, size_t n_keys, void *target, const char *what, PxComplaints *complaints);

/* The same texts outside of a table. false: it is none. */
bool px_config_parse_size(const char *text, uint64_t *ret_bytes);
bool px_config_parse_duration(const char *text, int64_t *ret_us);
/* The full name of a channel as a person writes it ("upload" is root.upload), or NULL when it cannot be one. Caller frees. */
char *px_config_parse_channel(const char *text);
bool px_config_parse_boolean(const char *text, bool *ret); /* true false yes no on off, in any case */

/* ---- showing */

/* The merge as YAML with the origin of each value behind it (# file:line), secrets as "***". Caller frees. */
char *px_config_dump(const PxConfig *config);
/* The same as JSON: {"configuration": {...}, "origins": {"storages.drop.type": {"file": ..., "line": ...}, ...}}. Caller frees. */
char *px_config_dump_json(const PxConfig *config);
