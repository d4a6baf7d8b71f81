/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: out of requests, into answers. */
#include "storage/sftp_private.h"

#include <string.h>

#define VERSION 3
#define INIT 1
#define VERSION_REPLY 2
#define MOST_REPLY_BYTES ((uint32_t)1024 * 1024)
#define PIECE_BYTES 65536u
#define MOST_DONE ((size_t)1024 * 1024)
#define MOST_SILENCE (60 * G_USEC_PER_SEC)
/* What every server takes and gives at once (draft 3: packets of 34000 bytes), and what OpenSSH does. */
#define SAFE_BYTES ((size_t)32 * 1024)
#define MOST_BYTES ((size_t)255 * 1024)

struct PxSftp {
  const PxSshSettings *settings;
  PxSsh *ssh;
  GByteArray *out;
  size_t out_written;
  size_t begun; /* where the request that is being filled begins in out */
  GByteArray *in;
  size_t in_done;     /* bytes of in that were answers */
  size_t in_taken;    /* and those of the last one, which is still looked at */
  GHashTable *routes; /* id -> Route: of answers that nobody awaits */
  uint32_t next_id;
  unsigned extensions;
  size_t most_read, most_written;
  int64_t progress; /* when the last byte went or came */
  bool dead;
  GError *problem; /* that nobody has heard of yet */
};

typedef struct {
  PxSftpTake take; /* NULL: nothing is done with it */
  void *data;
} Route;

static uint32_t get_u32(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(unsigned char *p, uint32_t value) {
  p[0] = (unsigned char)(value >> 24);
  p[1] = (unsigned char)(value >> 16);
  p[2] = (unsigned char)(value >> 8);
  p[3] = (unsigned char)value;
}

/* ---- requests */

void px_sftp_add_u32(PxSftp *sftp, uint32_t value) {
  unsigned char bytes[4];
  put_u32(bytes, value);
  g_byte_array_append(sftp->out, bytes, sizeof bytes);
}

void px_sftp_add_u64(PxSftp *sftp, uint64_t value) {
  px_sftp_add_u32(sftp, (uint32_t)(value >> 32));
  px_sftp_add_u32(sftp, (uint32_t)value);
}

void px_sftp_add_bytes(PxSftp *sftp, const void *bytes, size_t len) {
  px_sftp_add_u32(sftp, (uint32_t)len);
  g_byte_array_append(sftp->out, bytes, (unsigned)len);
}

void px_sftp_add_text(PxSftp *sftp, const char *text) {
  px_sftp_add_bytes(sftp, text, strlen(text));
}

static void begin(PxSftp *sftp, int type) {
  const unsigned char kind = (unsigned char)type;
  sftp->begun = sftp->out->len;
  px_sftp_add_u32(sftp, 0);
  g_byte_array_append(sftp->out, &kind, 1);
}

uint32_t px_sftp_begin(PxSftp *sftp, int type) {
  uint32_t id = ++sftp->next_id;
  begin(sftp, type);
  px_sftp_add_u32(sftp, id);
  return id;
}

void px_sftp_send(PxSftp *sftp) {
  put_u32(sftp->out->data + sftp->begun, (uint32_t)(sftp->out->len - sftp->begun - 4));
}

size_t px_sftp_unsent(const PxSftp *sftp) {
  return sftp->out->len - sftp->out_written;
}

uint32_t px_sftp_send_paths(PxSftp *sftp, int type, const char *first, const char *second) {
  uint32_t id = px_sftp_begin(sftp, type);
  px_sftp_add_text(sftp, first);
  if (second)
    px_sftp_add_text(sftp, second);
  px_sftp_send(sftp);
  return id;
}

uint32_t px_sftp_send_handle(PxSftp *sftp, int type, const PxSftpHandle *handle) {
  uint32_t id = px_sftp_begin(sftp, type);
  px_sftp_add_bytes(sftp, handle->bytes, handle->len);
  px_sftp_send(sftp);
  return id;
}

uint32_t px_sftp_send_open(PxSftp *sftp, const char *remote, uint32_t flags) {
  uint32_t id = px_sftp_begin(sftp, PX_SFTP_OPEN);
  px_sftp_add_text(sftp, remote);
  px_sftp_add_u32(sftp, flags);
  px_sftp_add_u32(sftp, 0);
  px_sftp_send(sftp);
  return id;
}

uint32_t px_sftp_send_write(PxSftp *sftp, const PxSftpHandle *handle, uint64_t offset, const void *bytes, size_t len) {
  uint32_t id = px_sftp_begin(sftp, PX_SFTP_WRITE);
  px_sftp_add_bytes(sftp, handle->bytes, handle->len);
  px_sftp_add_u64(sftp, offset);
  px_sftp_add_bytes(sftp, bytes, len);
  px_sftp_send(sftp);
  return id;
}

uint32_t px_sftp_send_sync(PxSftp *sftp, const PxSftpHandle *handle) {
  uint32_t id = px_sftp_begin(sftp, PX_SFTP_EXTENDED);
  px_sftp_add_text(sftp, "fsync@openssh.com");
  px_sftp_add_bytes(sftp, handle->bytes, handle->len);
  px_sftp_send(sftp);
  return id;
}

uint32_t px_sftp_send_posix_rename(PxSftp *sftp, const char *from, const char *to) {
  uint32_t id = px_sftp_begin(sftp, PX_SFTP_EXTENDED);
  px_sftp_add_text(sftp, "posix-rename@openssh.com");
  px_sftp_add_text(sftp, from);
  px_sftp_add_text(sftp, to);
  px_sftp_send(sftp);
  return id;
}

void px_sftp_route(PxSftp *sftp, uint32_t id, PxSftpTake take, void *data) {
  Route *route = g_new(Route, 1);
  *route = (Route){.take = take, .data = data};
  g_hash_table_insert(sftp->routes, GUINT_TO_POINTER(id), route);
}

void px_sftp_forget(PxSftp *sftp, uint32_t id) {
  px_sftp_route(sftp, id, NULL, NULL);
}

void px_sftp_forget_all(PxSftp *sftp, const void *data) {
  GHashTableIter at;
  gpointer value;
  g_hash_table_iter_init(&at, sftp->routes);
  while (g_hash_table_iter_next(&at, NULL, &value)) {
    Route *route = value;
    if (route->data == data)
      *route = (Route){.take = NULL};
  }
}

/* ---- bytes on their way */

static bool die(PxSftp *sftp) {
  sftp->dead = true;
  return false;
}

/* Writes and reads what can be without waiting. */
static bool move_bytes(PxSftp *sftp, bool *ret_progress, GError **error) {
  size_t written = 0;
  size_t got = 0;
  size_t unsent = px_sftp_unsent(sftp);
  if (unsent && !px_ssh_write_some(sftp->ssh, sftp->out->data + sftp->out_written, unsent, &written, error))
    return die(sftp);
  sftp->out_written += written;
  if (sftp->out_written == sftp->out->len || sftp->out_written > MOST_DONE) {
    g_byte_array_remove_range(sftp->out, 0, (unsigned)sftp->out_written);
    sftp->out_written = 0;
  }
  unsigned before = sftp->in->len;
  g_byte_array_set_size(sftp->in, before + PIECE_BYTES);
  bool ok = px_ssh_read_some(sftp->ssh, sftp->in->data + before, PIECE_BYTES, &got, error);
  g_byte_array_set_size(sftp->in, before + (unsigned)got);
  if (!ok)
    return die(sftp);
  *ret_progress = written > 0 || got > 0;
  if (*ret_progress)
    sftp->progress = g_get_monotonic_time();
  return true;
}

static void drop_taken(PxSftp *sftp) {
  sftp->in_done += sftp->in_taken;
  sftp->in_taken = 0;
  if (sftp->in_done < sftp->in->len - sftp->in_done) /* moving less than was done keeps the whole cheap */
    return;
  g_byte_array_remove_range(sftp->in, 0, (unsigned)sftp->in_done);
  sftp->in_done = 0;
}

/* Whether a whole packet is there; *ret_len: of what follows its length. */
static bool has_packet(PxSftp *sftp, bool *ret, uint32_t *ret_len, GError **error) {
  size_t there = sftp->in->len - sftp->in_done;
  uint32_t len = there >= 4 ? get_u32(sftp->in->data + sftp->in_done) : 0;
  *ret = there >= 4 && there - 4 >= len;
  *ret_len = len;
  if (there >= 4 && (len == 0 || len > MOST_REPLY_BYTES))
    return px_sftp_broken(sftp, error);
  if (*ret)
    sftp->in_taken = (size_t)len + 4;
  return true;
}

/* What is unsent may be sent when the server makes room for it, of which no bytes tell. */
static bool wait_for_more(PxSftp *sftp, int64_t deadline, GError **error) {
  return px_sftp_unsent(sftp) ? px_ssh_wait(sftp->ssh, deadline, error) : px_ssh_wait_for_bytes(sftp->ssh, deadline, error);
}

/* Waits for a whole packet. A server that only sends keepalives makes no progress: those never reach the channel. */
static bool receive_packet(PxSftp *sftp, uint32_t *ret_len, GError **error) {
  int64_t deadline = g_get_monotonic_time() + sftp->settings->timeout;
  if (sftp->problem) {
    g_propagate_error(error, g_steal_pointer(&sftp->problem));
    return die(sftp);
  }
  drop_taken(sftp);
  for (;;) {
    bool is_there;
    if (!has_packet(sftp, &is_there, ret_len, error))
      return false;
    if (is_there)
      return true;
    bool progress = false;
    if (!move_bytes(sftp, &progress, error))
      return false;
    if (progress)
      deadline = sftp->progress + sftp->settings->timeout;
    else if (!wait_for_more(sftp, deadline, error))
      return die(sftp);
  }
}

static PxSftpReply packet_of(const PxSftp *sftp, uint32_t len) {
  const unsigned char *packet = sftp->in->data + sftp->in_done;
  return (PxSftpReply){.type = packet[4], .p = packet + 5, .left = len - 1};
}

static bool parse(PxSftp *sftp, uint32_t len, PxSftpReply *ret, GError **error) {
  *ret = packet_of(sftp, len);
  uint32_t status = PX_SFTP_OK;
  bool ok = px_sftp_take_u32(ret, &ret->id) && (ret->type != PX_SFTP_STATUS || px_sftp_take_u32(ret, &status));
  ret->status = (int)MIN(status, (uint32_t)G_MAXINT);
  return ok || px_sftp_broken(sftp, error);
}

/* Hands the answer over, if it is one that nobody awaits. */
static bool pass_on(PxSftp *sftp, PxSftpReply *reply, bool *ret_passed, GError **error) {
  gpointer found = NULL;
  *ret_passed = g_hash_table_steal_extended(sftp->routes, GUINT_TO_POINTER(reply->id), NULL, &found);
  g_autofree Route *route = found;
  return !route || !route->take || route->take(route->data, reply, error);
}

bool px_sftp_receive(PxSftp *sftp, PxSftpReply *ret_reply, GError **error) {
  uint32_t len;
  bool passed;
  do {
    if (!receive_packet(sftp, &len, error) || !parse(sftp, len, ret_reply, error) || !pass_on(sftp, ret_reply, &passed, error))
      return false;
  } while (passed);
  return true;
}

bool px_sftp_turn(PxSftp *sftp, GError **error) {
  PxSftpReply reply;
  uint32_t len;
  bool passed;
  return receive_packet(sftp, &len, error) && parse(sftp, len, &reply, error) && pass_on(sftp, &reply, &passed, error) &&
         (passed || px_sftp_broken(sftp, error));
}

/* Those that are there. */
static bool pass_all_on(PxSftp *sftp, GError **error) {
  for (;;) {
    PxSftpReply reply;
    uint32_t len;
    bool is_there;
    bool passed;
    drop_taken(sftp);
    if (!has_packet(sftp, &is_there, &len, error))
      return false;
    if (!is_there)
      return true;
    if (!parse(sftp, len, &reply, error) || !pass_on(sftp, &reply, &passed, error) || !(passed || px_sftp_broken(sftp, error)))
      return false;
  }
}

void px_sftp_go_on(PxSftp *sftp) {
  bool progress = !sftp->problem;
  while (progress && move_bytes(sftp, &progress, &sftp->problem) && pass_all_on(sftp, &sftp->problem))
    continue;
}

bool px_sftp_await(PxSftp *sftp, uint32_t id, PxSftpReply *ret_reply, GError **error) {
  return px_sftp_receive(sftp, ret_reply, error) && (ret_reply->id == id || px_sftp_broken(sftp, error));
}

bool px_sftp_broken(PxSftp *sftp, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server's answer is no answer to what was asked; it is tried again", px_sftp_where(sftp));
  return die(sftp);
}

/* ---- answers */

bool px_sftp_take_u32(PxSftpReply *reply, uint32_t *ret) {
  if (reply->left < 4)
    return false;
  *ret = get_u32(reply->p);
  reply->p += 4;
  reply->left -= 4;
  return true;
}

bool px_sftp_take_u64(PxSftpReply *reply, uint64_t *ret) {
  uint32_t high;
  uint32_t low;
  if (!px_sftp_take_u32(reply, &high) || !px_sftp_take_u32(reply, &low))
    return false;
  *ret = (uint64_t)high << 32 | low;
  return true;
}

bool px_sftp_take_bytes(PxSftpReply *reply, const unsigned char **ret, size_t *ret_len) {
  uint32_t len;
  if (!px_sftp_take_u32(reply, &len) || len > reply->left)
    return false;
  *ret = reply->p;
  *ret_len = len;
  reply->p += len;
  reply->left -= len;
  return true;
}

bool px_sftp_take_handle(PxSftpReply *reply, PxSftpHandle *ret) {
  const unsigned char *bytes;
  if (!px_sftp_take_bytes(reply, &bytes, &ret->len) || ret->len == 0 || ret->len > sizeof ret->bytes)
    return false;
  memcpy(ret->bytes, bytes, ret->len);
  return true;
}

/* draft 5: which of them there are is told by the flags. */
bool px_sftp_take_attrs(PxSftpReply *reply, PxSftpAttrs *ret) {
  enum { SIZE = 1, OWNER = 2, PERMISSIONS = 4, TIMES = 8 };
  static const uint32_t extended = UINT32_C(0x80000000);
  uint32_t flags;
  uint64_t owner;
  uint32_t ignored;
  uint32_t pairs = 0;
  *ret = (PxSftpAttrs){0};
  bool ok = px_sftp_take_u32(reply, &flags) && (!(flags & SIZE) || px_sftp_take_u64(reply, &ret->size)) &&
            (!(flags & OWNER) || px_sftp_take_u64(reply, &owner)) && (!(flags & PERMISSIONS) || px_sftp_take_u32(reply, &ret->mode)) &&
            (!(flags & TIMES) || (px_sftp_take_u32(reply, &ignored) && px_sftp_take_u32(reply, &ret->mtime))) &&
            (!(flags & extended) || px_sftp_take_u32(reply, &pairs));
  for (uint32_t i = 0; ok && i < 2 * pairs; i++) {
    const unsigned char *bytes;
    size_t len;
    ok = px_sftp_take_bytes(reply, &bytes, &len);
  }
  return ok;
}

/* What the server adds in its own words: only what can be shown. */
static char *message_of(const PxSftpReply *reply) {
  PxSftpReply rest = *reply;
  const unsigned char *bytes;
  size_t len;
  if (reply->type != PX_SFTP_STATUS || !px_sftp_take_bytes(&rest, &bytes, &len) || len == 0 || len > 300)
    return NULL;
  char *text = g_strndup((const char *)bytes, len);
  for (char *c = text; *c; c++)
    *c = (char)(g_ascii_isprint(*c) ? *c : '?');
  return text;
}

bool px_sftp_fail(GError **error, const PxSftpReply *reply, const char *place, const char *doing) {
  static const struct {
    int status;
    PxError code;
    const char *text;
    const char *hint;
  } known[] = {
    {PX_SFTP_EOF, PX_ERROR_TRANSIENT, "it ends there", NULL},
    {PX_SFTP_NO_SUCH_FILE, PX_ERROR_NOT_FOUND, "No such file or directory", NULL},
    {PX_SFTP_PERMISSION_DENIED, PX_ERROR_UNREACHABLE, "Permission denied", "give pattimpex the right to it"},
    {PX_SFTP_BAD_MESSAGE, PX_ERROR_REFUSED, "the server does not take it so", NULL},
    {PX_SFTP_OP_UNSUPPORTED, PX_ERROR_CONFIG, "the server cannot do that", NULL},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    if (known[i].status != reply->status)
      continue;
    g_set_error(error, PX_ERROR, (int)known[i].code, "%s: cannot %s: %s%s%s", place, doing, known[i].text, known[i].hint ? "; " : "",
                known[i].hint ? known[i].hint : "");
    return false;
  }
  g_autofree char *message = message_of(reply);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: cannot %s: the server says: %s", place, doing, message ? message : "Failure");
  return false;
}

/* ---- opening */

static void note_extension(PxSftp *sftp, const unsigned char *name, size_t len) {
  static const struct {
    const char *name;
    PxSftpExtension extension;
  } known[] = {{"posix-rename@openssh.com", PX_SFTP_POSIX_RENAME}, {"fsync@openssh.com", PX_SFTP_FSYNC}, {"statvfs@openssh.com", PX_SFTP_STATVFS}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
      sftp->extensions |= known[i].extension;
  }
  if (len == strlen("limits@openssh.com") && memcmp(name, "limits@openssh.com", len) == 0)
    sftp->most_written = MOST_BYTES;
}

/* OpenSSH's PROTOCOL 4.8: packet, read, write, open handles; 0: no limit. */
static bool ask_limits(PxSftp *sftp, GError **error) {
  PxSftpReply reply;
  uint64_t packet;
  uint64_t most_read;
  uint64_t most_written;
  uint32_t id = px_sftp_begin(sftp, PX_SFTP_EXTENDED);
  px_sftp_add_text(sftp, "limits@openssh.com");
  px_sftp_send(sftp);
  if (!px_sftp_await(sftp, id, &reply, error))
    return false;
  sftp->most_written = SAFE_BYTES;
  if (reply.type != PX_SFTP_EXTENDED_REPLY || !px_sftp_take_u64(&reply, &packet) || !px_sftp_take_u64(&reply, &most_read) ||
      !px_sftp_take_u64(&reply, &most_written))
    return true;
  sftp->most_read = (size_t)CLAMP(most_read, SAFE_BYTES, MOST_BYTES);
  sftp->most_written = (size_t)CLAMP(most_written, SAFE_BYTES, MOST_BYTES);
  return true;
}

static bool agree(PxSftp *sftp, GError **error) {
  uint32_t len;
  uint32_t version;
  begin(sftp, INIT);
  px_sftp_add_u32(sftp, VERSION);
  px_sftp_send(sftp);
  if (!receive_packet(sftp, &len, error))
    return false;
  PxSftpReply reply = packet_of(sftp, len);
  if (reply.type != VERSION_REPLY || !px_sftp_take_u32(&reply, &version))
    return px_sftp_broken(sftp, error);
  const unsigned char *name;
  const unsigned char *value;
  size_t name_len;
  size_t value_len;
  while (px_sftp_take_bytes(&reply, &name, &name_len) && px_sftp_take_bytes(&reply, &value, &value_len))
    note_extension(sftp, name, name_len);
  return sftp->most_written == SAFE_BYTES || ask_limits(sftp, error);
}

PxSftp *px_sftp_open(const PxSshSettings *settings, GError **error) {
  PxSsh *ssh = px_ssh_open(settings, "sftp", error);
  if (!ssh)
    return NULL;
  PxSftp *sftp = g_new0(PxSftp, 1);
  *sftp = (PxSftp){.settings = settings,
                   .ssh = ssh,
                   .out = g_byte_array_new(),
                   .in = g_byte_array_new(),
                   .routes = g_hash_table_new_full(NULL, NULL, NULL, g_free),
                   .most_read = SAFE_BYTES,
                   .most_written = SAFE_BYTES};
  if (agree(sftp, error))
    return sftp;
  px_sftp_close(sftp);
  return NULL;
}

void px_sftp_close(PxSftp *sftp) {
  if (!sftp)
    return;
  px_ssh_close(sftp->ssh);
  g_byte_array_unref(sftp->out);
  g_byte_array_unref(sftp->in);
  g_hash_table_unref(sftp->routes);
  g_clear_error(&sftp->problem);
  g_free(sftp);
}

bool px_sftp_has(const PxSftp *sftp, PxSftpExtension extension) {
  return sftp->extensions & extension;
}

size_t px_sftp_most_read(const PxSftp *sftp) {
  return sftp->most_read;
}

size_t px_sftp_most_written(const PxSftp *sftp) {
  return sftp->most_written;
}

/* An answer that is still to come is no reason: it is one that nobody waits for. */
bool px_sftp_is_dead(PxSftp *sftp) {
  bool progress;
  return sftp->dead || !move_bytes(sftp, &progress, NULL);
}

bool px_sftp_is_of_use(PxSftp *sftp) {
  return g_get_monotonic_time() - sftp->progress < MOST_SILENCE && !px_sftp_is_dead(sftp);
}

const char *px_sftp_where(const PxSftp *sftp) {
  return px_ssh_where(sftp->ssh);
}
