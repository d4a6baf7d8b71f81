/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which files of a storage a task takes now: what its settings say of names, of files that are in the queue already, and of files that may still be
 * written to. */
#include "flow/flow_private.h"

/* A file to be taken; strings owned. */
typedef struct {
  char *path; /* the folder it lies in */
  PxFileInfo info;
  guint nth; /* its place in the listing */
  bool is_known;
  bool is_named; /* avoid_duplicates: name: one of its name is known */
} PxPicked;

/* Lists the task's folder: a GArray of PxPicked in the task's order; unref frees all. What is not taken is counted in work->report. *ret_named: the
 * same of those that would be taken if their names were not known, where the task answers them; NULL with an error. */
GArray *px_pick(PxWork *work, PxStorage *storage, const PxTask *task, GArray **ret_named, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the file that was opened is the one that was listed; when not, it is counted as waiting. */
bool px_pick_is_as_listed(PxWork *work, const PxTask *task, const PxPicked *listed, const PxFileInfo *opened);
/* How the sighting of a file calls it (queue/sightings.h). Caller frees. */
char *px_pick_place(const char *path, const char *name);
