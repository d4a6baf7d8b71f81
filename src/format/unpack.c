/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "format/child.h"
#include "format/pack.h"
#include "format/writer_driver.h"
#include "format/zip_private.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARCHIVE 0
#define OUT 1
#define REPLY 3

#define ADDRESS_SPACE ((uint64_t)512 * 1024 * 1024)
#define MAX_MEMBERS 1000
#define BUFFER ((size_t)128 * 1024)
#define REPLY_MAGIC UINT32_C(0x55425850)
#define MEMBER UINT32_MAX
#define DONE (UINT32_MAX - 1)
#define MAX_TEXT 4096

/* A member, the end, or (code: a PxError) a complaint; then its text: the name, nothing, what is wrong. */
typedef struct {
  uint32_t magic;
  uint32_t code;
  uint64_t size; /* of a member */
  uint32_t length;
} Reply;

static const char what[] = "the process that opens archives";

/* ---- the caller's side */

static void clear_unpacked(gpointer data) {
  g_free(((PxUnpacked *)data)->name);
}

GArray *px_unpacked_new(void) {
  GArray *members = g_array_new(FALSE, FALSE, sizeof(PxUnpacked));
  g_array_set_clear_func(members, clear_unpacked);
  return members;
}

static bool next_reply(int fd, Reply *reply, char text[static MAX_TEXT + 1]) {
  if (!px_child_read(fd, reply, sizeof(*reply)) || reply->magic != REPLY_MAGIC || reply->length > MAX_TEXT || !px_child_read(fd, text, reply->length))
    return false;
  text[reply->length] = 0;
  return true;
}

static bool is_name(const char *text, size_t len) {
  return len > 0 && len <= NAME_MAX && strlen(text) == len && g_utf8_validate(text, (gssize)len, NULL) && !strchr(text, '/') && text[0] != '.';
}

/* The complaint of the other side, whose word is checked. */
static void refuse_reply(const Reply *reply, const char *text, GError **error) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  bool expected = reply->code == PX_ERROR_REFUSED || reply->code == PX_ERROR_TRANSIENT;
  g_set_error_literal(error, PX_ERROR, expected ? (int)reply->code : PX_ERROR_INTERNAL, valid);
}

/* false without an error: it has died. */
static bool take_replies(int fd, GArray *members, GError **error) {
  Reply reply;
  char text[MAX_TEXT + 1];
  while (next_reply(fd, &reply, text)) {
    if (reply.code == DONE)
      return true;
    if (reply.code != MEMBER) {
      refuse_reply(&reply, text, error);
      return false;
    }
    if (!is_name(text, reply.length) || members->len >= MAX_MEMBERS)
      return false;
    const PxUnpacked member = {.name = g_strdup(text), .size = reply.size};
    g_array_append_val(members, member);
  }
  return false;
}

static bool start(int archive, PxPacking packing, const PxFormatOptions *limits, int out, int *ret_fd, pid_t *ret_pid, GError **error) {
  int reply;
  if (!px_child_pipe(ret_fd, &reply)) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot make a pipe: %s", g_strerror(errno));
    return false;
  }
  g_autoptr(GPtrArray) argv = px_child_arguments("unpacker", limits);
  px_child_add_number(argv, "packing", packing);
  const int fds[] = {[ARCHIVE] = archive, [OUT] = out, [STDERR_FILENO] = -1, [REPLY] = reply};
  int high[G_N_ELEMENTS(fds)];
  for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
    high[i] = fds[i] >= 0 ? px_child_move_up(dup(fds[i])) : -1;
  int problem = px_child_spawn(argv, high, G_N_ELEMENTS(high), ret_pid);
  for (size_t i = 0; i < G_N_ELEMENTS(high); i++)
    if (high[i] >= 0)
      (void)close(high[i]);
  (void)close(reply);
  if (!problem)
    return true;
  (void)close(*ret_fd);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot start %s: %s", what, g_strerror(problem));
  return false;
}

GArray *px_unpack(int archive, const char *name, const PxFormatOptions *limits, int out, GError **error) {
  g_autoptr(GArray) members = px_unpacked_new();
  g_autoptr(GError) problem = NULL;
  PxPacking packing = px_pack_of_name(name);
  int fd;
  int status = 0;
  pid_t pid;
  if (lseek(archive, 0, SEEK_SET) < 0 || !start(archive, packing, limits, out, &fd, &pid, error))
    return NULL;
  bool done = take_replies(fd, members, &problem);
  if (!done && !problem)
    (void)kill(pid, SIGKILL);
  (void)close(fd);
  if (!px_child_reap(&pid, &status) || (!done && !problem)) {
    (void)px_child_refuse_death(status, what, error);
    return NULL;
  }
  if (problem) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
  }
  if (packing == PX_PACK_GZIP) {
    PxUnpacked *only = &g_array_index(members, PxUnpacked, 0);
    g_free(only->name);
    only->name = g_strndup(name, strlen(name) - strlen(px_pack_suffix(packing)));
  }
  return g_steal_pointer(&members);
}

/* ---- the unpacker's side */

typedef struct {
  PxFormatOptions options;
  uint64_t packing;
  uint64_t total; /* bytes of all members so far */
  unsigned n;
  uint8_t in[BUFFER], out[BUFFER];
} Unpacker;

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (error)
    *error = g_error_new_valist(PX_ERROR, PX_ERROR_REFUSED, format, arguments);
  va_end(arguments);
  return false;
}

static void say(uint32_t code, uint64_t size, const char *text) {
  const Reply reply = {.magic = REPLY_MAGIC, .code = code, .size = size, .length = (uint32_t)MIN(strlen(text), MAX_TEXT)};
  char bytes[sizeof(reply) + MAX_TEXT];
  memcpy(bytes, &reply, sizeof(reply));
  memcpy(bytes + sizeof(reply), text, reply.length);
  if (!px_write_all(REPLY, bytes, sizeof(reply) + reply.length, NULL, NULL))
    _exit(4);
}

static bool take_order(int argc, char **argv, Unpacker *unpacker, GError **error) {
  for (int i = 2; i < argc; i++) {
    g_auto(GStrv) pair = g_strsplit(argv[i], "=", 2);
    bool known = g_strv_length(pair) == 2 && strcmp(pair[0], "packing") == 0
                   ? g_ascii_string_to_unsigned(pair[1], 10, PX_PACK_GZIP, PX_PACK_ZIP, &unpacker->packing, NULL)
                   : g_strv_length(pair) == 2 && px_child_take_option(&unpacker->options, pair[0], pair[1]);
    if (!known) {
      g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "unpacker: %s: this command is the program's own, not for people", argv[i]);
      return false;
    }
  }
  return true;
}

static bool put(Unpacker *unpacker, const void *bytes, size_t len, GError **error) {
  unpacker->total += len;
  if (unpacker->total > unpacker->options.max_member_bytes)
    return refuse(error, "the archive has more than %" G_GUINT64_FORMAT " bytes in it", unpacker->options.max_member_bytes);
  return px_write_all(OUT, bytes, len, "a temporary file", error);
}

/* ---- gzip: RFC 1952, one or several members that are one file */

static bool check_ratio(const Unpacker *unpacker, uint64_t read, GError **error) {
  bool bomb = unpacker->total > PX_ZIP_RATIO_FLOOR && unpacker->total / MAX(unpacker->options.max_ratio, 1) > read;
  return !bomb || refuse(error, "the archive inflates to more than %" G_GUINT64_FORMAT " times its size: it is made to fill disks",
                         unpacker->options.max_ratio);
}

/* Zeros behind the end are what tapes and disks fill up with. *ret_more: another member begins. */
static bool look_behind(struct inflate_state *inflate, bool *ret_more, GError **error) {
  while (inflate->avail_in > 0 && *inflate->next_in == 0) {
    inflate->next_in++;
    inflate->avail_in--;
  }
  *ret_more = inflate->avail_in > 0;
  return !*ret_more || *inflate->next_in == 0x1F || refuse(error, "there is something behind the end of the archive");
}

static void begin_gzip(struct inflate_state *inflate) {
  uint8_t *next = inflate->next_in;
  uint32_t left = inflate->avail_in;
  isal_inflate_init(inflate);
  inflate->crc_flag = ISAL_GZIP;
  inflate->next_in = next;
  inflate->avail_in = left;
}

/* Inflates what has been read. *ret_ended: the member is over. */
static bool inflate_some(Unpacker *unpacker, struct inflate_state *inflate, bool *ret_ended, GError **error) {
  do {
    inflate->next_out = unpacker->out;
    inflate->avail_out = (uint32_t)sizeof(unpacker->out);
    int result = isal_inflate(inflate);
    if (result < 0 || result > ISAL_END_INPUT)
      return refuse(error, "it is no gzip file, or damaged");
    if (!put(unpacker, unpacker->out, sizeof(unpacker->out) - inflate->avail_out, error))
      return false;
    *ret_ended = inflate->block_state == ISAL_BLOCK_FINISH;
  } while (!*ret_ended && inflate->avail_out == 0);
  return true;
}

static bool unpack_gzip(Unpacker *unpacker, GError **error) {
  g_autofree struct inflate_state *inflate = g_new0(struct inflate_state, 1);
  uint64_t total_read = 0;
  bool ended = true; /* between two members */
  bool any = false;
  for (;;) {
    ssize_t n = read(ARCHIVE, unpacker->in, sizeof(unpacker->in));
    if (n < 0)
      return refuse(error, "the archive cannot be read");
    if (n == 0)
      break;
    total_read += (uint64_t)n;
    inflate->next_in = unpacker->in;
    inflate->avail_in = (uint32_t)n;
    while (inflate->avail_in > 0) {
      bool more = true;
      if (ended && any && !look_behind(inflate, &more, error))
        return false;
      if (ended && more)
        begin_gzip(inflate);
      any = true;
      if (more && (!inflate_some(unpacker, inflate, &ended, error) || !check_ratio(unpacker, total_read, error)))
        return false;
    }
  }
  if (!ended || !any)
    return refuse(error, "the archive ends too early");
  say(MEMBER, unpacker->total, "file"); /* the caller knows its name */
  return true;
}

/* ---- zip */

/* The name that a member gets; NULL: it is none that anybody wants. */
static const char *wanted_name(const PxZipMember *member) {
  const char *slash = strrchr(member->name, '/');
  const char *name = slash ? slash + 1 : member->name;
  return !*name || *name == '.' || g_str_has_prefix(member->name, "__MACOSX/") ? NULL : name;
}

static bool check_name(const char *name, GError **error) {
  static const char *const archives[] = {".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"};
  g_autofree char *lower = g_ascii_strdown(name, -1);
  for (size_t i = 0; i < G_N_ELEMENTS(archives); i++)
    if (g_str_has_suffix(lower, archives[i]))
      return refuse(error, "%s: an archive within an archive is not opened", name);
  for (const char *c = name; *c; c += g_utf8_skip[(unsigned char)*c])
    if (g_unichar_iscntrl(g_utf8_get_char(c)))
      return refuse(error, "a name in the archive has a control character in it");
  return strlen(name) <= NAME_MAX || refuse(error, "a name in the archive is longer than 255 bytes");
}

static bool unpack_member(Unpacker *unpacker, const PxZip *zip, const PxZipMember *member, const char *name, GError **error) {
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, error);
  uint64_t before = unpacker->total;
  size_t len = 1;
  while (stream && len > 0) {
    if (!px_zip_stream_read(stream, unpacker->out, sizeof(unpacker->out), &len, error) || !put(unpacker, unpacker->out, len, error))
      return false;
  }
  if (stream)
    say(MEMBER, unpacker->total - before, name);
  return stream != NULL;
}

static bool unpack_zip(Unpacker *unpacker, GError **error) {
  const PxZipLimits limits = {
    .max_members = 10 * MAX_MEMBERS, .max_member_bytes = unpacker->options.max_member_bytes, .max_ratio = MAX(unpacker->options.max_ratio, 1)};
  g_autoptr(PxZip) zip = px_zip_open(ARCHIVE, &limits, error);
  if (!zip)
    return false;
  for (size_t i = 0; i < px_zip_count(zip); i++) {
    const PxZipMember *member = px_zip_member(zip, i);
    const char *name = wanted_name(member);
    if (!name)
      continue;
    if (++unpacker->n > MAX_MEMBERS)
      return refuse(error, "the archive has more than %d files in it", MAX_MEMBERS);
    if (!check_name(name, error) || !unpack_member(unpacker, zip, member, name, error))
      return false;
  }
  return unpacker->n > 0 || refuse(error, "the archive has no file in it");
}

int px_unpacker_main(int argc, char **argv) {
  g_autofree Unpacker *unpacker = g_new0(Unpacker, 1);
  g_autoptr(GError) error = NULL;
  px_format_options_init(&unpacker->options, PX_FORMAT_CSV);
  bool done = take_order(argc, argv, unpacker, &error);
  if (done) {
    const PxChildLimits limits = {
      .memory = ADDRESS_SPACE, .file_bytes = MIN(unpacker->options.max_member_bytes, (uint64_t)1 << 40) + BUFFER, .seconds = 40};
    px_child_confine(&limits);
    done = unpacker->packing == PX_PACK_ZIP ? unpack_zip(unpacker, &error) : unpack_gzip(unpacker, &error);
  }
  say(done ? DONE : (uint32_t)error->code, 0, done ? "" : error->message);
  px_format_options_done(&unpacker->options);
  return done ? 0 : 2;
}
