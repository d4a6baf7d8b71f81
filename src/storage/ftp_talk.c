/* SPDX-License-Identifier: Apache-2.0 */
/* The connection, and what is said on it that is no transfer. libcurl sends our commands one by one and goes on whatever the answer is ("*"); the
 * last so many answers are those to our commands, before them may stand those of a login. */
#include "storage/ftp_private.h"

#include <string.h>
#include <sys/stat.h>

#define PROTOCOLS "ftp,ftps"
#define MOST_IDLE_S 60L /* a connection that was silent for longer is not relied on */
#define TIME_PRECISION_NS INT64_C(2000000000)

struct PxFtp {
  const PxFtpSettings *settings;
  PxPace *pace;
  PxExchangeSettings of_exchange; /* with the keys that were trusted by hand */
  char **known;                   /* these; NULL: none */
  char *where;
  PxExchange *exchange; /* NULL until the first request */
  char *root;           /* NULL: nothing is known of the server */
  bool has_facts, has_utf8;
  struct curl_slist *commands; /* as libcurl takes them */
  guint n_commands;
  GArray *replies; /* PxFtpReply, all since the request began */
};

PxFtp *px_ftp_open(const PxFtpSettings *settings, PxPace *pace) {
  PxFtp *ftp = g_new0(PxFtp, 1);
  unsigned port = px_ftp_port(settings);
  *ftp = (PxFtp){
    .settings = settings,
    .pace = pace,
    .where = port == 21 ? g_strdup(settings->host) : g_strdup_printf("%s port %u", settings->host, port),
    .replies = g_array_new(FALSE, FALSE, sizeof(PxFtpReply)),
  };
  return ftp;
}

PxFtp *px_ftp_sibling(const PxFtp *first) {
  PxFtp *ftp = px_ftp_open(first->settings, first->pace);
  ftp->of_exchange = first->of_exchange;
  ftp->known = g_strdupv(first->known);
  if (ftp->known)
    ftp->of_exchange.certificate = ftp->known;
  ftp->root = g_strdup(first->root);
  ftp->has_facts = first->has_facts;
  ftp->has_utf8 = first->has_utf8;
  ftp->exchange = px_exchange_open(&ftp->of_exchange, ftp->pace, PROTOCOLS, ftp->where, NULL);
  if (ftp->exchange)
    return ftp;
  px_ftp_close(ftp);
  return NULL;
}

void px_ftp_close(PxFtp *ftp) {
  px_exchange_close(ftp->exchange);
  curl_slist_free_all(ftp->commands);
  g_array_unref(ftp->replies);
  g_strfreev(ftp->known);
  g_free(ftp->root);
  g_free(ftp->where);
  g_free(ftp);
}

const char *px_ftp_root(const PxFtp *ftp) {
  return ftp->root;
}

bool px_ftp_has_facts(const PxFtp *ftp) {
  return ftp->has_facts;
}

PxExchange *px_ftp_exchange(const PxFtp *ftp) {
  return ftp->exchange;
}

/* ---- commands */

void px_ftp_begin(PxFtp *ftp) {
  if (ftp->exchange) /* it may look at the list still */
    px_exchange_end(ftp->exchange);
  curl_slist_free_all(ftp->commands);
  ftp->commands = NULL;
  ftp->n_commands = 0;
}

void px_ftp_add(PxFtp *ftp, const char *command, const char *argument) {
  px_curl_add_header(&ftp->commands, "*%s%s%s", command, argument ? " " : "", argument ? argument : "");
  ftp->n_commands++;
}

void px_ftp_add_needed(PxFtp *ftp, const char *command, const char *argument) {
  px_curl_add_header(&ftp->commands, "%s %s", command, argument);
  ftp->n_commands++;
}

/* Windows takes names for those of a code page until it is told (draft-ietf-ftpext-utf-8-option). */
static void say_utf8(PxFtp *ftp, const char *remote) {
  bool is_ascii = !remote || g_str_is_ascii(remote);
  for (const struct curl_slist *command = ftp->commands; command && is_ascii; command = command->next)
    is_ascii = g_str_is_ascii(command->data);
  if (is_ascii || !ftp->has_utf8)
    return;
  PxHeaders *first = NULL;
  px_curl_add_header(&first, "*OPTS UTF8 ON");
  first->next = ftp->commands;
  ftp->commands = first;
}

static char *url_of(const PxFtpSettings *settings, const char *remote) {
  bool is_address = strchr(settings->host, ':') != NULL;
  g_autofree char *path = remote ? g_uri_escape_string(remote, "/", FALSE) : g_strdup("");
  return g_strdup_printf("%s://%s%s%s:%u/%s", settings->tls == PX_FTP_IMPLICIT ? "ftps" : "ftp", is_address ? "[" : "", settings->host,
                         is_address ? "]" : "", px_ftp_port(settings), path);
}

CURL *px_ftp_request(PxFtp *ftp, const char *remote) {
  const PxFtpSettings *settings = ftp->settings;
  g_autofree char *url = url_of(settings, remote);
  CURL *curl = px_exchange_new(ftp->exchange, url);
  curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* one of HTTP knows no FTP */
  curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user);
  curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->password ? settings->password : "");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_NOCWD);
  curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(settings->tls == PX_FTP_NO_TLS ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(curl, CURLOPT_FTPSSLAUTH, (long)CURLFTPAUTH_TLS);
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)MAX(settings->exchange.timeout / G_USEC_PER_SEC, 1));
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, MOST_IDLE_S);
  curl_easy_setopt(curl, CURLOPT_IGNORE_CONTENT_LENGTH, 1L); /* SIZE was asked for */
  say_utf8(ftp, remote);
  if (settings->active) {
    curl_easy_setopt(curl, CURLOPT_FTPPORT, settings->active_address ? settings->active_address : "-");
    curl_easy_setopt(curl, CURLOPT_ACCEPTTIMEOUT_MS, (long)(settings->exchange.connect_timeout / 1000));
  }
  if (ftp->commands)
    curl_easy_setopt(curl, CURLOPT_QUOTE, ftp->commands);
  return curl;
}

/* ---- answers */

static int code_of(const char *line) {
  for (size_t i = 0; i < 3; i++) {
    if (!g_ascii_isdigit(line[i]))
      return 0;
  }
  return (int)g_ascii_strtoll(line, NULL, 10);
}

/* RFC 959 4.2: "213-" begins an answer of several lines, "213 " ends it. */
static void take_replies(PxFtp *ftp) {
  const GPtrArray *lines = px_exchange_lines(ftp->exchange);
  const char *const *texts = (const char *const *)lines->pdata;
  guint first = 0;
  g_array_set_size(ftp->replies, 0);
  for (guint i = 0; i < lines->len; i++) {
    int code = code_of(texts[i]);
    int begun = code_of(texts[first]);
    if (!code || texts[i][3] == '-' || (begun && texts[first][3] == '-' && code != begun))
      continue;
    PxFtpReply reply = {.code = code, .lines = texts + first, .n = i - first + 1};
    g_array_append_val(ftp->replies, reply);
    first = i + 1;
  }
}

bool px_ftp_send(PxFtp *ftp, GError **error) {
  CURL *curl = px_ftp_request(ftp, NULL);
  curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  bool ok = px_exchange_perform(ftp->exchange, NULL, 0, error);
  take_replies(ftp);
  if (!ok || ftp->replies->len >= ftp->n_commands)
    return ok;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server has not answered everything", ftp->where);
  return false;
}

bool px_ftp_is_alive(const PxFtp *ftp) {
  switch (px_exchange_result(ftp->exchange)) {
  case CURLE_OK:
  case CURLE_FTP_COULDNT_RETR_FILE:
  case CURLE_REMOTE_FILE_NOT_FOUND:
  case CURLE_REMOTE_ACCESS_DENIED:
  case CURLE_UPLOAD_FAILED:
    return true;
  default:
    return false;
  }
}

PxFtpReply px_ftp_reply(const PxFtp *ftp, guint i) {
  guint n = ftp->replies->len;
  return n < ftp->n_commands ? (PxFtpReply){0} : g_array_index(ftp->replies, PxFtpReply, n - ftp->n_commands + i);
}

PxFtpReply px_ftp_find_reply(PxFtp *ftp, int code) {
  take_replies(ftp);
  for (guint i = 0; i < ftp->replies->len; i++) {
    const PxFtpReply *reply = &g_array_index(ftp->replies, PxFtpReply, i);
    if (reply->code == code)
      return *reply;
  }
  return (PxFtpReply){0};
}

bool px_ftp_read_size(const PxFtpReply *reply, uint64_t *ret) {
  const char *line = reply->code == 213 ? reply->lines[reply->n - 1] : "";
  guint64 size = 0;
  g_autofree char *text = g_strstrip(g_strdup(strlen(line) > 4 ? line + 4 : ""));
  if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &size, NULL))
    return false;
  *ret = size;
  return true;
}

bool px_ftp_read_time(const PxFtpReply *reply, PxFtpEntry *entry) {
  int64_t time_ns;
  const char *line = reply->n ? reply->lines[reply->n - 1] : "";
  if (reply->code != 213 || strlen(line) < 4 || !px_ftp_parse_time(line + 4, &time_ns))
    return false;
  entry->mtime_ns = time_ns;
  entry->mtime_precision_ns = TIME_PRECISION_NS;
  return true;
}

bool px_ftp_read_facts(const PxFtpReply *reply, PxFtpEntry *ret) {
  *ret = (PxFtpEntry){0};
  if (!px_ftp_is_yes(reply) || reply->n < 3)
    return false;
  g_autofree char *line = g_strdup(reply->lines[1] + strspn(reply->lines[1], " "));
  if (!px_ftp_parse_facts(line, ret) || !ret->mode)
    *ret = (PxFtpEntry){.mode = S_IFREG};
  ret->name = NULL;
  return true;
}

char *px_ftp_said(const PxFtp *ftp) {
  const GPtrArray *lines = px_exchange_lines(ftp->exchange);
  char *text = g_strndup(lines->len ? lines->pdata[lines->len - 1] : "nothing", 300);
  for (char *c = text; *c; c++)
    *c = (char)(g_ascii_isprint(*c) ? *c : '?');
  return text;
}

/* ---- connecting */

char *px_ftp_quoted(const char *line) {
  const char *quote = strchr(line, '"');
  if (!quote)
    return NULL;
  g_autoptr(GString) path = g_string_new(NULL);
  for (const char *c = quote + 1; *c; c++) {
    if (*c == '"' && c[1] != '"') {
      while (path->len > 0 && path->str[path->len - 1] == '/')
        g_string_truncate(path, path->len - 1);
      return g_string_free(g_steal_pointer(&path), FALSE);
    }
    c += *c == '"';
    g_string_append_c(path, *c);
  }
  return NULL;
}

/* MLST with the facts that count. */
static void note_features(PxFtp *ftp, const PxFtpReply *features) {
  for (guint i = 0; i < features->n; i++) {
    g_autofree char *line = g_strstrip(g_ascii_strdown(features->lines[i], -1));
    if (g_str_has_prefix(line, "mlst "))
      ftp->has_facts = strstr(line, "type*") && strstr(line, "size*") && strstr(line, "modify*");
    ftp->has_utf8 |= strcmp(line, "utf8") == 0;
  }
}

static bool directory_failed(const PxFtp *ftp, GError **error) {
  g_autofree char *said = px_ftp_said(ftp);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE,
              "its directory %s cannot be used: the server says: %s; make it, or correct the setting \"directory\"",
              *ftp->settings->directory ? ftp->settings->directory : "(of this user)", said);
  return false;
}

static bool find_out(PxFtp *ftp, GError **error) {
  const char *directory = ftp->settings->directory;
  px_ftp_begin(ftp);
  px_ftp_add(ftp, "FEAT", NULL);
  px_ftp_add(ftp, "CWD", *directory ? directory : ".");
  px_ftp_add(ftp, "PWD", NULL);
  if (!px_ftp_send(ftp, error))
    return false;
  PxFtpReply features = px_ftp_reply(ftp, 0);
  PxFtpReply entered = px_ftp_reply(ftp, 1);
  PxFtpReply place = px_ftp_reply(ftp, 2);
  if (*directory && !px_ftp_is_yes(&entered))
    return directory_failed(ftp, error);
  note_features(ftp, &features);
  ftp->root = place.code == 257 ? px_ftp_quoted(place.lines[place.n - 1]) : NULL;
  return ftp->root || directory_failed(ftp, error);
}

bool px_ftp_prepare(PxFtp *ftp, bool knows, GError **error) {
  const PxFtpSettings *settings = ftp->settings;
  if (ftp->exchange)
    return true;
  ftp->of_exchange = settings->exchange;
  if (knows && settings->tls != PX_FTP_NO_TLS && !settings->exchange.certificate) {
    if (!px_ftp_known_certificates(settings, &ftp->known, error))
      return false;
    ftp->of_exchange.certificate = ftp->known;
  }
  ftp->exchange = px_exchange_open(&ftp->of_exchange, ftp->pace, PROTOCOLS, ftp->where, error);
  return ftp->exchange != NULL;
}

bool px_ftp_connect(PxFtp *ftp, GError **error) {
  if (!px_ftp_prepare(ftp, true, error))
    return false;
  g_autoptr(GError) problem = NULL;
  if (ftp->root || find_out(ftp, &problem))
    return true;
  if (px_exchange_status(ftp->exchange) == 421) { /* libcurl calls it a timeout */
    g_autofree char *said = px_ftp_said(ftp);
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: the server says: %s", ftp->where, said);
    return false;
  }
  PxError code = problem->code == PX_ERROR_TRANSIENT ? PX_ERROR_UNREACHABLE : (PxError)problem->code;
  g_set_error_literal(error, PX_ERROR, (int)code, problem->message);
  return false;
}
