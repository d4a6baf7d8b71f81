/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of config/ share. Nodes are mutable only while a configuration is being loaded. */
#include "base/arena.h"
#include "config/config.h"

/* Bounds on what a configuration may ask for. With a bounded depth every walk over the tree may recurse. */
#define PX_CONFIG_MAX_DEPTH 50u
#define PX_CONFIG_MAX_NODES ((size_t)200000)
#define PX_CONFIG_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define PX_CONFIG_MAX_FILES 100u

struct PxConfigNode {
  PxNodeType type;
  bool quoted;
  bool secret;
  unsigned line;
  const char *file;
  const char *text;     /* of a scalar */
  const char **keys;    /* of a map: n of them */
  PxConfigNode **items; /* of a map or a sequence: n of them */
  size_t n;
};

struct PxConfig {
  PxArena *arena; /* nodes and their text */
  PxConfigNode *root;
  char *directory;
  size_t n_nodes;
};

/* A complaint about a place that has no node (yet). file may be NULL. */
void px_complain_at(PxComplaints *complaints, const char *file, unsigned line, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* yaml.c: the nodes of one document. NULL, with a complaint, when it cannot be understood; complaints of duplicate keys leave
 * a tree behind. file must live as long as config. */
PxConfigNode *px_yaml_parse(PxConfig *config, const char *text, size_t len, const char *file, PxComplaints *complaints);

/* merge.c: what comes of laying over on base. Either may be NULL. */
PxConfigNode *px_config_merge(PxConfig *config, PxConfigNode *base, PxConfigNode *over);

/* file_text.c: the bytes of a file that must be UTF-8 without NUL and no longer than limit; NULL and *ret_problem (caller
 * frees) when they are not. */
char *px_config_read_file(const char *path, size_t limit, size_t *ret_len, char **ret_problem);

/* secrets.c: puts in the values of ${ENV} and {file: PATH} and marks secrets. */
void px_secrets_apply(PxConfig *config, PxComplaints *complaints);
/* Whether node is {file: PATH}: to a merge it is one value. */
bool px_secrets_is_file(const PxConfigNode *node);
/* text with its ${ENV} replaced, or text itself when it has none; NULL after a complaint. In the configuration's arena. */
const char *px_secrets_expand(PxConfig *config, const PxConfigNode *node, const char *text, PxComplaints *complaints);
/* The reverse: text such that px_secrets_expand() gives it back. Caller frees. */
char *px_secrets_escape(const char *text);
