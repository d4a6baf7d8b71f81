/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* FTP (RFC 959, 2389, 2428, 3659, 4217) by libcurl, which logs in and moves the bytes; what is said besides is here. */
#include "storage/exchange_private.h"

typedef enum { PX_FTP_EXPLICIT, PX_FTP_IMPLICIT, PX_FTP_NO_TLS } PxFtpTls;

typedef struct {
  PxExchangeSettings exchange;
  char *host;
  uint64_t port; /* 0: the one of its kind of TLS */
  char *user;
  char *password;           /* NULL: none */
  int tls;                  /* PxFtpTls */
  bool active;              /* the server connects to us */
  char *active_address;     /* what it is told; NULL: the one that the connection has */
  char *known_certificates; /* a file */
  char *directory;          /* "": where the login leads to */
  uint64_t connections;     /* at most so many at once */
} PxFtpSettings;

extern const PxKey px_ftp_keys[16];
void px_ftp_defaults(void *data);
void px_ftp_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints);
const char *px_ftp_risk(const void *data);
char *px_ftp_place(const void *data);
void px_ftp_free_settings(void *data);
/* 21 or 990 where nothing is said. */
unsigned px_ftp_port(const PxFtpSettings *settings);

/* ---- certificates */

/* Keys that were trusted by hand; *ret_known NULL: none, else g_strfreev(). PX_ERROR_CONFIG. */
bool px_ftp_known_certificates(const PxFtpSettings *settings, char ***ret_known, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* As px_storage_host_key() has it. */
bool px_ftp_certificate(const PxFtpSettings *settings, bool trust, char **ret_key, bool *ret_known, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- talking */

typedef struct PxFtp PxFtp;

/* Nothing is sent. */
PxFtp *px_ftp_open(const PxFtpSettings *settings, PxPace *pace);
/* Another connection of the same settings, for one other thread; knows what the first, which is connected, has found out. NULL: there can be none. */
PxFtp *px_ftp_sibling(const PxFtp *first);
void px_ftp_close(PxFtp *ftp);
/* What is needed for requests, nothing is sent; px_ftp_connect() does it. knows: the certificates that were trusted by hand count. */
bool px_ftp_prepare(PxFtp *ftp, bool knows, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Logs in unless there is a connection, and finds out what the server can. PX_ERROR_UNREACHABLE, PX_ERROR_CONFIG. */
bool px_ftp_connect(PxFtp *ftp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The directory as the server calls it, without a "/" at its end; known once connected. */
const char *px_ftp_root(const PxFtp *ftp);
/* Whether it says about a file what it is, how big and how old (RFC 3659 7). */
bool px_ftp_has_facts(const PxFtp *ftp);
PxExchange *px_ftp_exchange(const PxFtp *ftp);

/* What is said of one name: by a line of a listing, name points into it; by an answer, name is NULL. */
typedef struct {
  char *name;
  mode_t mode; /* its kind, S_IFMT; 0: not told */
  uint64_t size;
  bool has_size;
  int64_t mtime_ns;
  int64_t mtime_precision_ns; /* 0: no time was told */
  bool is_place;              /* the directory itself or the one above */
} PxFtpEntry;

/* One answer: its lines; the last begins with the code. They live until the next request. */
typedef struct {
  int code; /* 0: none */
  const char *const *lines;
  guint n;
} PxFtpReply;

/* Commands are gathered, then sent one after the other, whatever the answers are. argument may be NULL. */
void px_ftp_begin(PxFtp *ftp);
void px_ftp_add(PxFtp *ftp, const char *command, const char *argument);
/* The same, but before a transfer, which fails (CURLE_QUOTE_ERROR) where this is refused. */
void px_ftp_add_needed(PxFtp *ftp, const char *command, const char *argument);
/* PX_ERROR_TRANSIENT: the connection was lost. */
bool px_ftp_send(PxFtp *ftp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the last request, if it failed, failed by an answer of the server, so that there is a connection still. */
bool px_ftp_is_alive(const PxFtp *ftp);
/* The answer to the i-th command that was added. */
PxFtpReply px_ftp_reply(const PxFtp *ftp, guint i);
/* The first answer of that code since the request began, a transfer's too; code 0: there is none. */
PxFtpReply px_ftp_find_reply(PxFtp *ftp, int code);
/* The number of 213 NUMBER (SIZE). */
bool px_ftp_read_size(const PxFtpReply *reply, uint64_t *ret);
/* The time of 213 TIME (MDTM). */
bool px_ftp_read_time(const PxFtpReply *reply, PxFtpEntry *entry);
/* What 250 says of a name (MLST); one of which little is told is a regular file. false: nothing, *ret is empty. */
bool px_ftp_read_facts(const PxFtpReply *reply, PxFtpEntry *ret);
/* The last line of the last answer, for messages: only what can be shown. Caller frees. */
char *px_ftp_said(const PxFtp *ftp);
/* The path of 257 "/a ""quoted"" name" (RFC 959 appendix II), without a "/" at its end. Caller frees; NULL: there is none. */
char *px_ftp_quoted(const char *line);
static inline bool px_ftp_is_yes(const PxFtpReply *reply) {
  return reply->code >= 200 && reply->code < 400;
}

/* A request on a file (as the server calls it) or, NULL, none: then started with the exchange. commands that were added go first. */
CURL *px_ftp_request(PxFtp *ftp, const char *remote);

/* ---- listings */

/* Both change line. false: it is no entry. now, microseconds: LIST leaves out the year of what is younger than half a year. */
bool px_ftp_parse_facts(char *line, PxFtpEntry *ret);
bool px_ftp_parse_list(char *line, int64_t now, PxFtpEntry *ret);
/* YYYYMMDDHHMMSS and what comes after a point (RFC 3659 2.3). */
bool px_ftp_parse_time(const char *text, int64_t *ret_ns);

/* ---- directories and what is in them, by names (paths as storage.h has them) */

typedef struct PxFtpTree PxFtpTree;
PxFtpTree *px_ftp_tree_new(PxFtp *ftp);
void px_ftp_tree_free(PxFtpTree *tree);
/* What was found out about directories is not relied on any more. */
void px_ftp_tree_forget(PxFtpTree *tree);
/* How the server calls a file, or the directory path where name is NULL. Caller frees. */
char *px_ftp_tree_remote(const PxFtpTree *tree, const char *path, const char *name);
/* Goes through every directory of path. PX_ERROR_NOT_FOUND: one is missing; PX_ERROR_REFUSED: one is a link, where the server tells, or none;
 * PX_ERROR_UNREACHABLE: no right to. */
bool px_ftp_tree_walk(PxFtpTree *tree, const char *path, const char *doing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, on the way to the file place: where the way is missing, so is the file. */
bool px_ftp_tree_walk_to(PxFtpTree *tree, const char *path, const char *place, const char *doing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, and makes those that are missing. */
bool px_ftp_tree_make_way(PxFtpTree *tree, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What there is of that name in path, which is not walked. mode 0: nothing. Kind, size and time are as good as the server tells; its name is not
 * set. */
bool px_ftp_tree_look(PxFtpTree *tree, const char *path, const char *name, PxFtpEntry *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it can be opened before it is looked at: a listing of a moment ago has it as a regular file, or the look will tell all there is. */
bool px_ftp_tree_is_file(PxFtpTree *tree, const char *path, const char *name);
/* Whether nothing that is known keeps a file from being put there: a link, a pipe, or, unless it is to be replaced, a file. */
bool px_ftp_tree_may_put(PxFtpTree *tree, const char *path, const char *name, bool replace);
/* We have put, moved or removed a file of that name. */
void px_ftp_tree_note(PxFtpTree *tree, const char *path, const char *name, bool is_there);
/* As the table of drivers has it, of a path that was walked. */
bool px_ftp_tree_list(PxFtpTree *tree, const char *path, PxFileVisit visit, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "PLACE: cannot DOING: the server says: ..."; PX_ERROR_UNREACHABLE. Always false. */
bool px_ftp_denied(const PxFtp *ftp, const char *place, const char *doing, GError **error);

/* ---- several connections */

/* Those besides the first, each with a thread of its own. */
typedef struct PxFtpCrew PxFtpCrew;
/* What one of them does; false: its connection was lost. */
typedef bool (*PxFtpWork)(PxFtp *ftp, void *data);
PxFtpCrew *px_ftp_crew_new(void);
/* None may be at work. Hangs up. */
void px_ftp_crew_free(PxFtpCrew *crew);
/* Up to n of them begin to work. They log in one after the other, and after one that the server refuses no other tries, for some minutes: there are
 * as many as there can be, maybe none. first is connected, and is only looked at now. false: they are at work already, or n is 0. */
bool px_ftp_crew_start(PxFtpCrew *crew, const PxFtp *first, unsigned n, PxFtpWork work, void *data);
/* Until all have ended; their connections are kept. give_up: what goes on is not waited for. */
void px_ftp_crew_join(PxFtpCrew *crew, bool give_up);
/* Nothing happens while they are at work. */
void px_ftp_crew_hang_up(PxFtpCrew *crew);

/* Files that will be opened, read while those before them are worked on. */
typedef struct PxFtpEarly PxFtpEarly;
PxFtpEarly *px_ftp_early_new(PxFtpCrew *crew);
void px_ftp_early_free(PxFtpEarly *early);
/* As the table of drivers has it; most: bytes that may be read before they are asked for. n 0: no connection but the first is open afterwards. */
void px_ftp_early_expect(PxFtpEarly *early, const PxExpected *files, size_t n, uint64_t most);
/* The path of the next files to be begun, while there is room for some. NULL: none now. */
const char *px_ftp_early_wants(PxFtpEarly *early);
/* Begins with files of that path, which was walked, or leaves them out where it was not (is_there false). */
void px_ftp_early_begin(PxFtpEarly *early, PxFtpTree *tree, bool is_there);
/* At most so many connections besides the first begin to read, unless they do already, where there are enough files for them. */
void px_ftp_early_get_help(PxFtpEarly *early, const PxFtp *first, unsigned most);
/* A file that was begun, over ftp if nobody else has it in hand yet. Its bytes (caller frees), *ret_entry says what it was when they were read. NULL:
 * it was not begun, or is not as it was listed, or did not go well: it is to be opened plainly. Those before it are dropped. */
char *px_ftp_early_take(PxFtpEarly *early, PxFtp *ftp, const char *path, const char *name, PxFtpEntry *ret_entry);

/* As the table of drivers has it, over first and at most so many connections besides it. The ways to all files were made. */
void px_ftp_put_all(PxFtp *first, const PxFtpTree *tree, PxFtpCrew *crew, unsigned most_helpers, PxPutting *const *puttings, size_t n);
