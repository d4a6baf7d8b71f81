/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SFTP version 3 (draft-ietf-secsh-filexfer-02 and the extensions of OpenSSH's PROTOCOL) over one channel. libssh has a client of its
 * own, but its rename always replaces where the server can, its writes wait for each answer, and its reads wait for ever. */
#include "storage/ssh_private.h"
#include "storage/storage_driver.h"

typedef struct PxSftp PxSftp;

typedef enum {
  PX_SFTP_POSIX_RENAME = 1 << 0,
  PX_SFTP_FSYNC = 1 << 1,
  PX_SFTP_STATVFS = 1 << 2,
} PxSftpExtension;

/* draft 7: the status codes; -1 stands for a connection that was lost. */
enum {
  PX_SFTP_OK = 0,
  PX_SFTP_EOF = 1,
  PX_SFTP_NO_SUCH_FILE = 2,
  PX_SFTP_PERMISSION_DENIED = 3,
  PX_SFTP_FAILURE = 4,
  PX_SFTP_BAD_MESSAGE = 5,
  PX_SFTP_OP_UNSUPPORTED = 8,
};

enum { PX_SFTP_STATUS = 101, PX_SFTP_HANDLE = 102, PX_SFTP_DATA = 103, PX_SFTP_NAME = 104, PX_SFTP_ATTRS = 105, PX_SFTP_EXTENDED_REPLY = 201 };

enum {
  PX_SFTP_OPEN = 3,
  PX_SFTP_CLOSE = 4,
  PX_SFTP_READ = 5,
  PX_SFTP_WRITE = 6,
  PX_SFTP_LSTAT = 7,
  PX_SFTP_FSTAT = 8,
  PX_SFTP_OPENDIR = 11,
  PX_SFTP_READDIR = 12,
  PX_SFTP_REMOVE = 13,
  PX_SFTP_MKDIR = 14,
  PX_SFTP_REALPATH = 16,
  PX_SFTP_STAT = 17,
  PX_SFTP_RENAME = 18,
  PX_SFTP_EXTENDED = 200,
};

enum { PX_SFTP_FOR_READ = 1, PX_SFTP_FOR_WRITE = 2, PX_SFTP_CREATE = 8, PX_SFTP_EXCLUSIVE = 32 };

typedef struct {
  uint64_t size;
  uint32_t mode;  /* 0: not told */
  uint32_t mtime; /* seconds */
} PxSftpAttrs;

/* One answer; it points into the connection's buffer until the next is received. */
typedef struct {
  int type;
  uint32_t id;
  int status;             /* of PX_SFTP_STATUS, else PX_SFTP_OK */
  const unsigned char *p; /* what follows the id, of a status its message */
  size_t left;
} PxSftpReply;

/* The version is agreed on, the extensions are known. */
PxSftp *px_sftp_open(const PxSshSettings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_sftp_close(PxSftp *sftp);
bool px_sftp_has(const PxSftp *sftp, PxSftpExtension extension);
/* Most bytes of one read, of one write. */
size_t px_sftp_most_read(const PxSftp *sftp);
size_t px_sftp_most_written(const PxSftp *sftp);
/* Whether the connection is of no use any more: an error said so, or the server hung up meanwhile. */
bool px_sftp_is_dead(PxSftp *sftp);
/* Whether it is alive and was not silent for so long that something between may have forgotten it, which would only be noticed after the whole
 * timeout. */
bool px_sftp_is_of_use(PxSftp *sftp);
const char *px_sftp_where(const PxSftp *sftp);

/* A request is begun, filled and sent; its id comes with the answer. Nothing waits before px_sftp_receive(). */
uint32_t px_sftp_begin(PxSftp *sftp, int type);
void px_sftp_add_u32(PxSftp *sftp, uint32_t value);
void px_sftp_add_u64(PxSftp *sftp, uint64_t value);
void px_sftp_add_bytes(PxSftp *sftp, const void *bytes, size_t len); /* with its length */
void px_sftp_add_text(PxSftp *sftp, const char *text);
void px_sftp_send(PxSftp *sftp);

/* What the server calls an open file or directory. */
typedef struct {
  unsigned char bytes[256]; /* draft 3: at most 256 */
  size_t len;
} PxSftpHandle;

/* Whole requests; they give their ids. second may be NULL. */
uint32_t px_sftp_send_paths(PxSftp *sftp, int type, const char *first, const char *second);
uint32_t px_sftp_send_handle(PxSftp *sftp, int type, const PxSftpHandle *handle);
uint32_t px_sftp_send_open(PxSftp *sftp, const char *remote, uint32_t flags);
uint32_t px_sftp_send_write(PxSftp *sftp, const PxSftpHandle *handle, uint64_t offset, const void *bytes, size_t len);
/* Those of extensions that px_sftp_has(). */
uint32_t px_sftp_send_sync(PxSftp *sftp, const PxSftpHandle *handle);
uint32_t px_sftp_send_posix_rename(PxSftp *sftp, const char *from, const char *to);
/* Bytes that were sent by px_sftp_send() but not yet written. */
size_t px_sftp_unsent(const PxSftp *sftp);
/* What is done with an answer that nobody awaits, whenever it comes; it may send more. false: the answer is broken (px_sftp_broken()). */
typedef bool (*PxSftpTake)(void *data, PxSftpReply *reply, GError **error);
void px_sftp_route(PxSftp *sftp, uint32_t id, PxSftpTake take, void *data);
/* Nobody waits for that answer any more, nor is anything done with it. */
void px_sftp_forget(PxSftp *sftp, uint32_t id);
/* The same of all that were routed to data. */
void px_sftp_forget_all(PxSftp *sftp, const void *data);
/* The next answer, of whichever request that is awaited. PX_ERROR_TRANSIENT: the connection was lost, or nothing came for too long; it is dead
 * then. */
bool px_sftp_receive(PxSftp *sftp, PxSftpReply *ret_reply, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The answer to that request, which must be the next one. */
bool px_sftp_await(PxSftp *sftp, uint32_t id, PxSftpReply *ret_reply, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits for one answer that is not awaited, while there is no other to come. */
bool px_sftp_turn(PxSftp *sftp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Sends and takes what can be without waiting. An error is told by the call that waits next. */
void px_sftp_go_on(PxSftp *sftp);

/* Taking an answer apart; false: it is broken. */
bool px_sftp_take_u32(PxSftpReply *reply, uint32_t *ret);
bool px_sftp_take_u64(PxSftpReply *reply, uint64_t *ret);
bool px_sftp_take_bytes(PxSftpReply *reply, const unsigned char **ret, size_t *ret_len);
bool px_sftp_take_attrs(PxSftpReply *reply, PxSftpAttrs *ret);
bool px_sftp_take_handle(PxSftpReply *reply, PxSftpHandle *ret);
/* The answer is not of the kind that was asked for: the connection is dead. PX_ERROR_TRANSIENT. */
bool px_sftp_broken(PxSftp *sftp, GError **error);

/* ---- errors: place is the file or directory, doing what was tried ("open"). Always false. */

bool px_sftp_fail(GError **error, const PxSftpReply *reply, const char *place, const char *doing);

/* ---- reading and writing a file that is open: many requests on their way at once */

typedef struct PxSftpReading PxSftpReading;
/* size: as the open file has it. */
PxSftpReading *px_sftp_reading_new(PxSftp *sftp, const PxSftpHandle *handle, uint64_t size, const char *place);
/* Asks for the first bytes, as the first px_sftp_reading_next() does. */
void px_sftp_reading_begin(PxSftpReading *reading);
ssize_t px_sftp_reading_next(PxSftpReading *reading, void *buffer, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* alive: the connection is still there, so that the handle is closed. */
void px_sftp_reading_free(PxSftpReading *reading, bool alive);
/* A file that is written; the answers that are still to come find it. */
typedef struct {
  PxSftp *sftp;
  const char *place;
  unsigned waiting; /* answers */
  GError *problem;  /* the first that the server told */
} PxSftpWriting;
/* Sends what from has, which is to be size bytes, from its beginning; the last answers are not waited for, so that more can be asked at once.
 * PX_ERROR_TRANSIENT. */
bool px_sftp_write_all(PxSftpWriting *writing, const PxSftpHandle *handle, PxPacedFd from, uint64_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits for them, when no other answer is to come. PX_ERROR_TRANSIENT. */
bool px_sftp_write_end(PxSftpWriting *writing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_sftp_writing_clear(PxSftpWriting *writing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxSftpWriting, px_sftp_writing_clear)

/* ---- files that are opened and read before anybody asks for them, some at a time */

typedef struct PxSftpEarly PxSftpEarly;
PxSftpEarly *px_sftp_early_new(void);
/* Those that will be asked for, in this order; files are borrowed until the next call. What was begun of others is given up. most: bytes of files
 * that may be there at once. */
void px_sftp_early_expect(PxSftpEarly *early, const PxExpected *files, size_t n, size_t most);
/* The path of the next files that are to be begun now; NULL: none is. */
const char *px_sftp_early_wants(PxSftpEarly *early);
/* Begins those of that path for which there is room, or leaves them out: the server's name of the path is NULL. */
void px_sftp_early_begin(PxSftpEarly *early, PxSftp *sftp, const char *remote_path);
/* Waits until that file is open. *ret_reading NULL: it was not begun, or did not go well: nothing can be said of it but by opening it. Files before
 * it are given up. PX_ERROR_TRANSIENT: the connection was lost. */
bool px_sftp_early_take(PxSftpEarly *early, const char *path, const char *name, PxSftpAttrs *ret_attrs, PxSftpReading **ret_reading, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* All that was begun is given up. alive: the connection is still there. */
void px_sftp_early_give_up(PxSftpEarly *early, bool alive);
void px_sftp_early_free(PxSftpEarly *early);

/* ---- several files that are written at once */

typedef struct {
  PxPutting *putting;
  char *written; /* the temporary file, as the server calls it */
  char *target;
  uint32_t mtime; /* out: by the server's clock; 0: nothing was written */
} PxSftpSending;
/* Further connections to the same server, opened when there is much for them to do: what one connection asks, the server does one after the other,
 * and waits for its disk each time. */
typedef struct PxSftpMore PxSftpMore;
PxSftpMore *px_sftp_more_new(const PxSshSettings *settings, unsigned most);
void px_sftp_more_free(PxSftpMore *more);
/* As put_all of a driver has it; their directories are there. Of a file that is not put for a reason of its own nothing is left, and it is
 * undecided. */
void px_sftp_put_all(PxSftp *sftp, PxSftpMore *more, PxPace *pace, PxSftpSending *sendings, size_t n);

/* ---- settings */

typedef struct {
  PxSshSettings ssh;
  char *directory;      /* "": where the login leads to */
  uint64_t connections; /* at once, at most */
} PxSftpSettings;

extern const PxKey px_sftp_keys[15];
void px_sftp_defaults(void *data);
void px_sftp_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints);
char *px_sftp_place(const void *data);
void px_sftp_free_settings(void *data);
