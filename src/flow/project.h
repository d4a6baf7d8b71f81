/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Everything that a configuration names, opened. */
#include "config/config.h"
#include "db/db.h"
#include "model/model.h"
#include "pattern/pattern.h"
#include "queue/blobs.h"
#include "queue/queue.h"
#include "report/notice.h"
#include "storage/filestore.h"
#include "storage/storage.h"
#include "task/task.h"

#include <signal.h>

typedef struct {
  const char *const *paths; /* of configuration files; later ones win */
  size_t n_paths;
  const PxConfig *config;     /* instead of paths: has been loaded, is borrowed */
  bool dry_run;               /* database, storages and filestore pretend: everything happens and is forgotten at close */
  bool create_database;       /* make it when it is missing (init) */
  bool no_files;              /* the filestore is not opened (and not made): for commands that touch no bytes, and --no-history */
  bool no_migrate;            /* our own tables are neither made nor migrated: --no-history */
  int64_t (*now)(void *data); /* microseconds since the epoch; NULL: the system's clock */
  void *now_data;
  const volatile sig_atomic_t *stop; /* not 0: this process is to end; NULL: never */
} PxProjectOptions;

typedef struct {
  const PxConfig *config;
  PxConfig *own_config; /* NULL: config is borrowed */
  PxDb *db;
  PxSchema *schema;
  PxStorages *storages;
  PxPatterns *patterns;
  PxTasks *tasks;
  PxNotices *notices;
  PxFilestore *filestore; /* NULL with no_files */
  PxBlobStorage *blobs;   /* of the filestore, when it is a storage */
  GTimeZone *timezone;
  PxChannels *channels;
  int64_t keep_jobs, keep_files; /* microseconds that what has ended is kept; 0: for ever */
  bool dry_run;
  int64_t (*now)(void *data);
  void *now_data;
  const volatile sig_atomic_t *stop;
  GHashTable *in_use; /* name -> PxStorage: connections that are kept from job to job */
} PxProject;

/* Loads the configuration, connects, makes and migrates our tables, reads every section. What is wrong with the configuration is collected in
 * complaints (which may be NULL); when errors are among them the project is returned all the same if complaints was given and the database could be
 * opened, so that check shows everything: all other callers give NULL and get PX_ERROR_CONFIG with all of them.
 * PX_ERROR_CONFIG, PX_ERROR_UNREACHABLE. */
PxProject *px_project_open(const PxProjectOptions *options, PxComplaints *complaints, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_project_close(PxProject *project);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxProject, px_project_close)
int64_t px_project_now(const PxProject *project);
/* Whether this process is to end, then PX_ERROR_STOPPED: asked where a job can be left and gone on with. */
bool px_project_stopped(const PxProject *project, GError **error);
/* What only the database and the storages can tell; they are asked, and a probe file is put into each storage. *ret_unreachable: how many of the
 * errors are storages that do not answer; NULL: storages are left alone. Only for a project that was read without errors. */
bool px_project_check(const PxProject *project, PxComplaints *complaints, unsigned *ret_unreachable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Warns of tasks, patterns and storages that have a history and are in the configuration no more. */
bool px_project_warn_lost_names(const PxProject *project, PxComplaints *complaints, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A storage by name, borrowed: until the next call of this for the same name, or px_project_rest(). One on a server keeps its connection until
 * then, one job after the other. PX_ERROR_CONFIG. */
PxStorage *px_project_storage(PxProject *project, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* There is nothing to be done for now: connections are closed. */
void px_project_rest(PxProject *project);
/* PX_ERROR_CONFIG with "did you mean". */
const PxPattern *px_project_pattern(const PxProject *project, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const PxTask *px_project_task(const PxProject *project, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
