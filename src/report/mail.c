/* SPDX-License-Identifier: Apache-2.0 */
/* One mail by SMTP. libcurl builds the message; here is what goes into its headers, so that no text can become another header. */
#include "report/notice.h"
#include "report/transfer_private.h"

#include "base/error.h"

#include <string.h>

#define WORD_BYTES 42 /* of text in one encoded word: 56 letters of base64, 68 with what stands around them (RFC 2047 2: at most 75) */

void px_mail_part_free(PxMailPart *part) {
  if (!part)
    return;
  g_free(part->name);
  g_bytes_unref(part->bytes);
  g_free(part);
}

/* ---- headers */

static bool is_plain(const char *text) {
  for (const char *c = text; *c; c++)
    if (!g_ascii_isprint(*c))
      return false;
  return strlen(text) <= 60 && !strstr(text, "=?");
}

char *px_mail_header_text(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  for (char *c = valid; *c; c++)
    if (g_ascii_iscntrl(*c))
      *c = ' ';
  if (is_plain(valid))
    return g_steal_pointer(&valid);
  GString *encoded = g_string_new(NULL);
  for (char *from = valid; *from;) {
    char *end = from;
    while (*end && g_utf8_next_char(end) - from <= WORD_BYTES)
      end = g_utf8_next_char(end);
    g_autofree char *word = g_base64_encode((const guchar *)from, (gsize)(end - from));
    g_string_append_printf(encoded, "%s=?UTF-8?B?%s?=", encoded->len ? "\r\n " : "", word);
    from = end;
  }
  return g_string_free(encoded, FALSE);
}

/* The address alone. Caller frees. */
static char *address_of(const char *from) {
  const char *open = strrchr(from, '<');
  return open ? g_strndup(open, strlen(open)) : g_strdup_printf("<%s>", from);
}

static char *sender_header(const char *from) {
  const char *open = strrchr(from, '<');
  if (!open)
    return g_strdup(from);
  g_autofree char *name = g_strstrip(g_strndup(from, (gsize)(open - from)));
  size_t len = strlen(name);
  if (len > 1 && name[0] == '"' && name[len - 1] == '"') {
    memmove(name, name + 1, len - 2);
    name[len - 2] = '\0';
  }
  for (char *c = name; *c; c++)
    if (strchr("\"\\", *c))
      *c = '\'';
  g_autofree char *shown = px_mail_header_text(name);
  bool encoded = strstr(shown, "=?") != NULL;
  return g_strdup_printf(encoded ? "%s %s" : "\"%s\" %s", shown, open);
}

/* RFC 5322 3.3, in English whatever the locale. */
static char *date_header(int64_t when) {
  static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC);
  g_autofree char *rest = g_date_time_format(time, "%Y %H:%M:%S +0000");
  return g_strdup_printf("%s, %d %s %s", days[g_date_time_get_day_of_week(time) - 1], g_date_time_get_day_of_month(time),
                         months[g_date_time_get_month(time) - 1], rest);
}

static PxHeaders *make_headers(const PxMailSettings *settings, const PxMail *mail) {
  PxHeaders *headers = NULL;
  g_autofree char *from = sender_header(settings->from);
  g_autofree char *address = address_of(settings->from);
  g_autofree char *subject = px_mail_header_text(mail->subject);
  g_autofree char *date = date_header(mail->date);
  g_autofree char *to = g_strjoinv(",\r\n ", (char **)(uintptr_t)mail->to);
  px_curl_add_header(&headers, "Date: %s", date);
  px_curl_add_header(&headers, "From: %s", from);
  px_curl_add_header(&headers, "To: %s", to);
  px_curl_add_header(&headers, "Subject: %s", subject);
  px_curl_add_header(&headers, "Message-ID: <%s%s", mail->id, strchr(address, '@'));
  px_curl_add_header(&headers, "Auto-Submitted: auto-generated");
  return headers;
}

/* ---- the message */

/* Lines end as in mail. */
static char *with_line_ends(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *lines = g_string_new(NULL);
  for (const char *c = valid; *c; c++) {
    if (*c == '\n')
      g_string_append(lines, "\r\n");
    else if (*c != '\r')
      g_string_append_c(lines, *c);
  }
  return g_string_free(lines, FALSE);
}

/* Content-Disposition with a name that is not ASCII as RFC 2231 4 has it: libcurl's own knows no encoding. */
static PxHeaders *part_headers(const char *name) {
  PxHeaders *headers = NULL;
  bool plain = *name;
  for (const char *c = name; *c; c++)
    plain = plain && (g_ascii_isalnum(*c) || strchr("-_. ()+,@", *c));
  g_autofree char *valid = g_utf8_make_valid(name, -1);
  g_autofree char *escaped = g_uri_escape_string(valid, NULL, FALSE);
  if (plain)
    px_curl_add_header(&headers, "Content-Disposition: attachment; filename=\"%s\"", name);
  else
    px_curl_add_header(&headers, "Content-Disposition: attachment;\r\n filename*=UTF-8''%s", escaped);
  return headers;
}

static curl_mime *make_message(CURL *curl, const PxMail *mail) {
  curl_mime *mime = curl_mime_init(curl);
  g_autofree char *body = with_line_ends(mail->body);
  curl_mimepart *part = curl_mime_addpart(mime);
  curl_mime_data(part, body, CURL_ZERO_TERMINATED);
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "quoted-printable");
  for (guint i = 0; mail->parts && i < mail->parts->len; i++) {
    const PxMailPart *attached = mail->parts->pdata[i];
    gsize len;
    const char *bytes = g_bytes_get_data(attached->bytes, &len);
    part = curl_mime_addpart(mime);
    curl_mime_data(part, bytes ? bytes : "", len);
    curl_mime_type(part, "application/octet-stream");
    curl_mime_encoder(part, "base64");
    curl_mime_headers(part, part_headers(attached->name), 1);
  }
  return mime;
}

bool px_mail_send(const PxMailSettings *settings, const PxMail *mail, const volatile sig_atomic_t *stop, GError **error) {
  static const long tls[] = {[PX_TLS_TRY] = CURLUSESSL_TRY, [PX_TLS_REQUIRE] = CURLUSESSL_ALL, [PX_TLS_NONE] = CURLUSESSL_NONE};
  g_autoptr(CURL) curl = px_transfer_new(settings->server, "smtp,smtps", settings->ca_file, settings->timeout, error);
  if (!curl)
    return false;
  g_autofree char *from = address_of(settings->from);
  g_autoptr(PxHeaders) headers = make_headers(settings, mail);
  g_autoptr(PxHeaders) recipients = NULL;
  for (size_t i = 0; mail->to[i]; i++)
    px_curl_add_header(&recipients, "<%s>", mail->to[i]);
  g_autoptr(curl_mime) mime = make_message(curl, mail);
  curl_easy_setopt(curl, CURLOPT_USE_SSL, tls[settings->tls]);
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one address that is gone does not keep the mail from the others */
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
  if (settings->user) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->password);
  }
  long status;
  return px_transfer_run(curl, "mail server", settings->server, stop, &status, error);
}
