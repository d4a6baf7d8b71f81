/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "storage/filestore.h"
#include "storage/storage.h"

/* A directory with a storage "drop" on its subdirectory "drop". */
typedef struct {
  char *directory;
  char *drop;
  PxConfig *config;
  PxStorages *storages;
  PxStorage *storage;
  PxStorage *dry;
} Fixture;

/* A kind of storage that the contract suite runs over; data of the fixture (NULL: of the type file). */
typedef struct {
  const char *type;
  const char *name;                       /* of the server, where there are several; NULL: the type */
  const char *denied;                     /* what is told of a lack of rights; NULL: "Permission denied" */
  unsigned lacks;                         /* what the contract cannot have of it */
  char *(*config)(const char *directory); /* its settings as YAML on one line; NULL: it cannot be tested here */
  bool is_flat;                           /* it has keys only: no directories, links, rights, and no times that could be kept */
} Driver;

enum {
  LACKS_LINE_ENDS = 1 << 0, /* a listing has a line for each name */
  LACKS_KINDS = 1 << 1,     /* links are followed, pipes are files */
  LACKS_OPENING = 1 << 2,   /* rights are only known from the first read */
};
bool driver_lacks(const void *data, unsigned what);
const char *driver_denied(const void *data);

void fixture_set_up(Fixture *fixture, const void *data);
void fixture_tear_down(Fixture *fixture, const void *data);
#define ADD(path, function) g_test_add(path, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

/* One more storage, with settings of its own. */
typedef struct {
  PxConfig *config;
  PxStorages *storages;
  PxStorage *storage;
} Other;
void other_clear(Other *other);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Other, other_clear)
Other other_of_type(const char *type, const char *settings);
/* The fixture's own settings (data: its driver) and more. */
Other other_with(const Fixture *fixture, const void *data, const char *more);

typedef void (*Test)(Fixture *fixture, const void *data);
/* Adds /storage/TYPE/NAME for every kind of storage. */
void add_for_all(const char *name, Test test);
/* The same for those that are not flat. */
void add_for_trees(const char *name, Test test);

void add_contract_tests(void);
void add_sftp_tests(const Driver *driver);
void add_s3_tests(void);
void add_s3_sign_tests(void);
void add_s3_xml_tests(void);
void add_ftp_tests(const Driver *vsftpd, const Driver *pyftpdlib);
void add_ftp_list_tests(void);
void add_file_tests(void);
void add_put_tests(void);
void add_put_all_tests(void);
void add_filestore_tests(void);
void add_spools_tests(void);
void add_storages_tests(void);

/* All of these are relative to the storage's directory. */
void write_file(const Fixture *fixture, const char *name, const char *text);
void make_directory(const Fixture *fixture, const char *name);
char *read_file(const Fixture *fixture, const char *name); /* NULL: there is none */
void assert_file(const Fixture *fixture, const char *name, const char *text);
/* The names below the storage's directory, sorted, with blanks between; directories end in "/". Caller frees. */
char *tree(const Fixture *fixture);

/* In any directory: of /proc/self/fd the descriptors that are open. */
unsigned count_names(const char *path);

void assert_fails(bool ok, GError **error, int code, const char *part);
/* A descriptor of an unlinked file with that text. */
int text_fd(const char *text);
void remove_tree(const char *path);
