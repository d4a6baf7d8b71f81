/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/exchange_private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT (20 * G_USEC_PER_SEC)
#define TIMEOUT (60 * G_USEC_PER_SEC)
#define MOST_KEPT (1024u * 1024)      /* bytes that came and were not read: then the server has to wait */
#define MOST_SAID (16u * 1024 * 1024) /* bytes of headers or answers */
#define PIECE_BYTES (256 * 1024)      /* libcurl's buffers */
#define LONGEST_LOOK (1000 * G_GINT64_CONSTANT(1000))

const char *const px_exchange_tls_words[] = {[PX_TLS_1_2] = "1.2", [PX_TLS_1_3] = "1.3", [PX_TLS_1_1] = "1.1", [PX_TLS_1_0] = "1.0", NULL};

struct PxExchange {
  const PxExchangeSettings *settings;
  PxPace *pace;
  char *protocols;
  char *where;
  char *pins; /* as CURLOPT_PINNEDPUBLICKEY has them; NULL: none */
  CURLM *multi;
  CURL *curl;
  bool added; /* to multi: the request is going on */
  bool done;  /* its result is known */
  bool held;  /* the server has to wait until what came is read */
  CURLcode result;
  char words[CURL_ERROR_SIZE];
  curl_socket_t socket; /* the last that was opened; CURL_SOCKET_BAD: it is closed */
  int64_t progress;     /* when anything came or went */
  char *room;           /* of who reads now, for what comes; NULL: nobody */
  size_t n_room, filled;
  GByteArray *kept; /* came, was not read; from given on */
  size_t given;
  GPtrArray *lines;
  size_t said;
  guint heard; /* of the lines, when it was last waited for more */
  int stopped; /* atomic; by another thread */
  int fd;      /* what is sent */
  uint64_t from, length, sent;
  GError *problem; /* of our own end */
};

/* ---- settings */

void px_exchange_defaults(PxExchangeSettings *settings) {
  settings->tls_verify = true;
  settings->connect_timeout = CONNECT_TIMEOUT;
  settings->timeout = TIMEOUT;
}

void px_exchange_check_settings(PxExchangeSettings *settings, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints) {
  if (settings->ca_file) {
    char *path = px_config_resolve_path(config, settings->ca_file);
    g_free(settings->ca_file);
    settings->ca_file = path;
  }
  if (settings->connect_timeout <= 0 || settings->timeout <= 0)
    px_complain(complaints, node, "connect_timeout and timeout must be more than 0");
  if (px_exchange_risk(settings))
    px_warn(complaints, px_node_get(node, "tls_verify"), "%s", px_exchange_risk(settings));
  if (settings->tls_min == PX_TLS_1_0 || settings->tls_min == PX_TLS_1_1)
    px_warn(complaints, px_node_get(node, "tls_min"), "tls_min: TLS %s is broken; ask the partner for 1.2", px_exchange_tls_words[settings->tls_min]);
}

const char *px_exchange_risk(const PxExchangeSettings *settings) {
  return settings->tls_verify || settings->certificate
           ? NULL
           : "tls_verify: false: whoever is in between can read and change everything, the password too; write ca_file instead";
}

void px_exchange_clear_settings(PxExchangeSettings *settings) {
  g_free(settings->ca_file);
  g_strfreev(settings->certificate);
}

/* "SHA256:X" -> "sha256//X="; ours are written without what base64 has at its end. */
static char *pins_of(char **certificate) {
  GString *pins = g_string_new(NULL);
  for (char **pin = certificate; *pin; pin++)
    g_string_append_printf(pins, "%ssha256//%s%s", pins->len ? ";" : "", *pin + strlen("SHA256:"), g_str_has_suffix(*pin, "=") ? "" : "=");
  return g_string_free(pins, FALSE);
}

/* ---- what libcurl calls */

static void note_progress(PxExchange *exchange) {
  exchange->progress = g_get_monotonic_time();
}

static size_t take_body(char *bytes, size_t size, size_t n, void *data) {
  PxExchange *exchange = data;
  size_t len = size * n;
  note_progress(exchange);
  exchange->held = exchange->kept->len >= MOST_KEPT;
  if (exchange->held)
    return CURL_WRITEFUNC_PAUSE;
  size_t at_once = exchange->kept->len == 0 ? MIN(len, exchange->n_room - exchange->filled) : 0;
  if (at_once > 0)
    memcpy(exchange->room + exchange->filled, bytes, at_once);
  exchange->filled += at_once;
  g_byte_array_append(exchange->kept, (const guint8 *)bytes + at_once, (guint)(len - at_once));
  return len;
}

/* Asked where libcurl itself does not tell: CURLINFO_ACTIVESOCKET knows of a transfer that is going on nothing. */
static int note_socket(void *data, curl_socket_t socket, curlsocktype purpose G_GNUC_UNUSED) {
  PxExchange *exchange = data;
  exchange->socket = socket;
  return CURL_SOCKOPT_OK;
}

static int close_socket(void *data, curl_socket_t socket) {
  PxExchange *exchange = data;
  if (exchange->socket == socket)
    exchange->socket = CURL_SOCKET_BAD;
  return close(socket);
}

/* A server that sends the body of its answer once the headers are acknowledged (Ceph's, by Nagle's algorithm) would wait 40 ms for Linux to do so:
 * tcp(7), TCP_QUICKACK, which holds for what has come only. */
static void acknowledge(const PxExchange *exchange) {
  const int at_once = 1;
  if (exchange->socket != CURL_SOCKET_BAD)
    (void)setsockopt(exchange->socket, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof at_once);
}

static size_t take_line(char *bytes, size_t size, size_t n, void *data) {
  PxExchange *exchange = data;
  size_t len = size * n;
  note_progress(exchange);
  exchange->said += len;
  if (exchange->said > MOST_SAID)
    return 0;
  if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) /* a new answer: the one before was 100 Continue */
    g_ptr_array_set_size(exchange->lines, 0);
  char *line = g_strndup(bytes, len);
  line[strcspn(line, "\r\n")] = 0;
  g_ptr_array_add(exchange->lines, line);
  if (!*line)
    acknowledge(exchange);
  return len;
}

static size_t give_bytes(char *buffer, size_t size, size_t n, void *data) {
  PxExchange *exchange = data;
  size_t want = px_pace_piece(exchange->pace, (size_t)MIN(size * n, exchange->length - exchange->sent));
  ssize_t got;
  note_progress(exchange);
  if (want == 0)
    return 0;
  do
    got = pread(exchange->fd, buffer, want, (off_t)(exchange->from + exchange->sent));
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    exchange->sent += (uint64_t)got;
    px_pace_spend(exchange->pace, (size_t)got);
    note_progress(exchange);
    return (size_t)got;
  }
  if (!exchange->problem && got < 0)
    g_set_error(&exchange->problem, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read: %s", g_strerror(errno));
  else if (!exchange->problem)
    g_set_error(&exchange->problem, PX_ERROR, PX_ERROR_TRANSIENT, "fewer than the %" G_GUINT64_FORMAT " bytes it had; it changed while it was copied",
                (guint64)exchange->length);
  return CURL_READFUNC_ABORT;
}

/* libcurl begins once more on a new connection where the one it kept turns out to be dead. */
static int seek_bytes(void *data, curl_off_t offset, int origin) {
  PxExchange *exchange = data;
  if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > exchange->length)
    return CURL_SEEKFUNC_FAIL;
  exchange->sent = (uint64_t)offset;
  return CURL_SEEKFUNC_OK;
}

/* ---- life */

PxExchange *px_exchange_open(const PxExchangeSettings *settings, PxPace *pace, const char *protocols, const char *where, GError **error) {
  g_autoptr(CURL) curl = px_curl_new(error);
  if (!curl)
    return NULL;
  PxExchange *exchange = g_new0(PxExchange, 1);
  *exchange = (PxExchange){
    .settings = settings,
    .pace = pace,
    .protocols = g_strdup(protocols),
    .where = g_strdup(where),
    .pins = settings->certificate ? pins_of(settings->certificate) : NULL,
    .multi = curl_multi_init(),
    .curl = g_steal_pointer(&curl),
    .kept = g_byte_array_new(),
    .lines = g_ptr_array_new_with_free_func(g_free),
    .fd = -1,
    .socket = CURL_SOCKET_BAD,
  };
  if (exchange->multi)
    return exchange;
  px_exchange_close(exchange);
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcurl does not start");
  return NULL;
}

void px_exchange_close(PxExchange *exchange) {
  if (!exchange)
    return;
  px_exchange_end(exchange);
  curl_easy_cleanup(exchange->curl);
  if (exchange->multi)
    curl_multi_cleanup(exchange->multi);
  g_byte_array_unref(exchange->kept);
  g_ptr_array_unref(exchange->lines);
  g_clear_error(&exchange->problem);
  g_free(exchange->pins);
  g_free(exchange->protocols);
  g_free(exchange->where);
  g_free(exchange);
}

void px_exchange_end(PxExchange *exchange) {
  if (exchange->added)
    curl_multi_remove_handle(exchange->multi, exchange->curl);
  exchange->added = false;
}

/* ---- a request */

static void set_tls(const PxExchange *exchange) {
  static const long versions[] = {[PX_TLS_1_2] = CURL_SSLVERSION_TLSv1_2,
                                  [PX_TLS_1_3] = CURL_SSLVERSION_TLSv1_3,
                                  [PX_TLS_1_1] = CURL_SSLVERSION_TLSv1_1,
                                  [PX_TLS_1_0] = CURL_SSLVERSION_TLSv1_0};
  const PxExchangeSettings *settings = exchange->settings;
  bool is_capped = settings->tls_not_1_3 && settings->tls_min != PX_TLS_1_3;
  bool checks_signer = settings->tls_verify && !exchange->pins;
  curl_easy_setopt(exchange->curl, CURLOPT_SSLVERSION, versions[settings->tls_min] | (is_capped ? (long)CURL_SSLVERSION_MAX_TLSv1_2 : 0));
  curl_easy_setopt(exchange->curl, CURLOPT_SSL_VERIFYPEER, checks_signer ? 1L : 0L);
  curl_easy_setopt(exchange->curl, CURLOPT_SSL_VERIFYHOST, checks_signer ? 2L : 0L);
  if (settings->ca_file)
    curl_easy_setopt(exchange->curl, CURLOPT_CAINFO, settings->ca_file);
  if (exchange->pins)
    curl_easy_setopt(exchange->curl, CURLOPT_PINNEDPUBLICKEY, exchange->pins);
}

/* Then libcurl need not ignore that signal itself, around each of its steps, for all threads. */
static bool is_spared_sigpipe(void) {
  struct sigaction action;
  sigset_t blocked;
  return (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN) ||
         (pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, SIGPIPE) == 1);
}

CURL *px_exchange_new(PxExchange *exchange, const char *url) {
  CURL *curl = exchange->curl;
  px_exchange_end(exchange);
  curl_easy_reset(curl);
  px_curl_set_safe(curl, exchange->protocols);
  set_tls(exchange);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->words);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(exchange->settings->connect_timeout / 1000));
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)PIECE_BYTES);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE_BYTES);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, is_spared_sigpipe() ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, note_socket);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
  exchange->done = exchange->held = false;
  exchange->result = CURLE_OK;
  exchange->words[0] = 0;
  g_byte_array_set_size(exchange->kept, 0);
  exchange->given = 0;
  g_ptr_array_set_size(exchange->lines, 0);
  exchange->said = exchange->heard = 0;
  exchange->fd = -1;
  g_clear_error(&exchange->problem);
  return curl;
}

void px_exchange_upload(PxExchange *exchange, int fd, uint64_t offset, uint64_t length) {
  CURL *curl = exchange->curl;
  exchange->fd = fd;
  exchange->from = offset;
  exchange->length = length;
  exchange->sent = 0;
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
  curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
  curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_bytes);
  curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange);
}

/* ---- going on */

static bool silent_for_too_long(PxExchange *exchange) {
  int64_t timeout = exchange->settings->timeout;
  int64_t patience = MAX(timeout, exchange->lines->len == 0 ? exchange->settings->connect_timeout : 0);
  if (g_get_monotonic_time() - exchange->progress < patience)
    return false;
  g_set_error(&exchange->problem, PX_ERROR, PX_ERROR_TRANSIENT,
              "%s: nothing came for %" G_GINT64_FORMAT " s; it is tried again (raise \"timeout\" for a slow server)", exchange->where,
              timeout / G_USEC_PER_SEC);
  return true;
}

static bool is_stopped(PxExchange *exchange) {
  if (!g_atomic_int_get(&exchange->stopped))
    return false;
  g_set_error(&exchange->problem, PX_ERROR, PX_ERROR_STOPPED, "%s: given up", exchange->where);
  return true;
}

void px_exchange_stop(PxExchange *exchange, bool stop) {
  g_atomic_int_set(&exchange->stopped, stop);
  if (stop)
    curl_multi_wakeup(exchange->multi);
}

static void take_result(PxExchange *exchange) {
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(exchange->multi, &left));) {
    if (message->msg != CURLMSG_DONE)
      continue;
    exchange->done = true;
    exchange->result = message->data.result;
  }
}

static const char *hint_of(CURLcode result) {
  switch (result) {
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    return "; nothing was sent to it. Ask the partner; then correct \"ca_file\" or \"certificate\"";
  case CURLE_LOGIN_DENIED:
    return "; correct \"user\" and \"password\"";
  case CURLE_USE_SSL_FAILED:
    return "; the server does not speak TLS so: correct \"tls\"";
  default:
    return "";
  }
}

static bool fail(PxExchange *exchange, GError **error) {
  if (exchange->problem) {
    g_propagate_error(error, g_steal_pointer(&exchange->problem));
    px_exchange_end(exchange);
  } else {
    CURLcode result = exchange->result;
    PxError code = px_curl_error_code(result);
    bool is_lost = exchange->lines->len > 0 && code == PX_ERROR_UNREACHABLE;
    g_set_error(error, PX_ERROR, (int)(is_lost ? PX_ERROR_TRANSIENT : code), "%s: %s%s", exchange->where,
                exchange->words[0] ? exchange->words : curl_easy_strerror(result), hint_of(result));
  }
  exchange->done = true;
  exchange->result = exchange->result == CURLE_OK ? CURLE_ABORTED_BY_CALLBACK : exchange->result;
  return false;
}

/* libcurl 7.88 opens a data connection one step after it was told where to, and names no socket for that; nor does it when it has just begun to open
 * one. So there is no wait after a line of the server, and the first looks are short. Milliseconds. */
static CURLMcode wait_for_news(PxExchange *exchange, int *look) {
  int news = 0;
  bool has_heard = exchange->lines->len > exchange->heard;
  exchange->heard = exchange->lines->len;
  if (has_heard)
    return CURLM_OK;
  int64_t longest = MIN(exchange->settings->timeout, LONGEST_LOOK) / 1000 + 1;
  CURLMcode code = curl_multi_poll(exchange->multi, NULL, 0, *look, &news);
  *look = news > 0 ? 1 : (int)MIN(2 * (int64_t)*look, longest);
  return code;
}

static bool has_come(const PxExchange *exchange) {
  return exchange->filled > 0 || exchange->kept->len > 0;
}

/* Until there is something to read, or the end. */
static bool go_on(PxExchange *exchange, GError **error) {
  int running;
  int look = 1;
  while (!exchange->done && !has_come(exchange)) {
    if (exchange->held) {
      exchange->held = false;
      curl_easy_pause(exchange->curl, CURLPAUSE_CONT);
    }
    CURLMcode code = curl_multi_perform(exchange->multi, &running);
    take_result(exchange);
    if (code == CURLM_OK && !exchange->done && !has_come(exchange))
      code = wait_for_news(exchange, &look);
    if (code != CURLM_OK && !exchange->problem)
      g_set_error(&exchange->problem, PX_ERROR, PX_ERROR_INTERNAL, "%s: libcurl cannot go on: %s", exchange->where, curl_multi_strerror(code));
    if (code != CURLM_OK || (!exchange->done && (is_stopped(exchange) || silent_for_too_long(exchange))))
      return fail(exchange, error);
  }
  return !exchange->done || has_come(exchange) || exchange->result == CURLE_OK || fail(exchange, error);
}

bool px_exchange_start(PxExchange *exchange, GError **error) {
  note_progress(exchange);
  exchange->added = curl_multi_add_handle(exchange->multi, exchange->curl) == CURLM_OK;
  if (exchange->added)
    return go_on(exchange, error);
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s: libcurl does not take a request", exchange->where);
  return false;
}

/* More of the answer, into the very buffer of who reads it. */
static ssize_t read_more(PxExchange *exchange, char *buffer, size_t size, GError **error) {
  g_byte_array_set_size(exchange->kept, 0);
  exchange->given = exchange->filled = 0;
  exchange->room = buffer;
  exchange->n_room = size;
  note_progress(exchange); /* the time that the caller took is not the server's */
  bool ok = go_on(exchange, error);
  ssize_t got = (ssize_t)exchange->filled;
  exchange->room = NULL;
  exchange->n_room = exchange->filled = 0;
  return ok ? got : -1;
}

ssize_t px_exchange_read(PxExchange *exchange, void *buffer, size_t size, GError **error) {
  if (exchange->given == exchange->kept->len)
    return read_more(exchange, buffer, size, error);
  size_t n = MIN(size, exchange->kept->len - exchange->given);
  memcpy(buffer, exchange->kept->data + exchange->given, n);
  exchange->given += n;
  return (ssize_t)n;
}

bool px_exchange_perform(PxExchange *exchange, GString *body, size_t most, GError **error) {
  bool ok = px_exchange_start(exchange, error);
  g_autofree char *piece = g_malloc(PIECE_BYTES);
  ssize_t got = 0;
  while (ok && (got = px_exchange_read(exchange, piece, PIECE_BYTES, error)) > 0) {
    if (body && body->len + (size_t)got > most) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the answer is longer than %zu bytes", exchange->where, most);
      ok = false;
    } else if (body)
      g_string_append_len(body, piece, got);
  }
  px_exchange_end(exchange);
  return ok && got == 0;
}

/* ---- what came back */

long px_exchange_status(const PxExchange *exchange) {
  long status = 0;
  curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

const char *px_exchange_header(const PxExchange *exchange, const char *name) {
  size_t len = strlen(name);
  for (guint i = exchange->lines->len; i > 0; i--) {
    const char *line = exchange->lines->pdata[i - 1];
    if (g_ascii_strncasecmp(line, name, len) == 0 && line[len] == ':')
      return line + len + 1 + strspn(line + len + 1, " \t");
  }
  return NULL;
}

const GPtrArray *px_exchange_lines(const PxExchange *exchange) {
  return exchange->lines;
}

CURLcode px_exchange_result(const PxExchange *exchange) {
  return exchange->result;
}

int64_t px_exchange_silence(const PxExchange *exchange) {
  return g_get_monotonic_time() - exchange->progress;
}
