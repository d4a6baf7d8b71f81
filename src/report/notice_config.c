/* SPDX-License-Identifier: Apache-2.0 */
/* The sections mail and webhook, and failure_emails and base_url at the top. */
#include "base/text.h"
#include "report/notice.h"

#include <string.h>

#define DIGEST (10 * G_TIME_SPAN_MINUTE)
#define TIMEOUT (30 * G_TIME_SPAN_SECOND)
#define ATTACH ((uint64_t)5 * 1024 * 1024)
#define SUBJECT "pattimpex: ${task}: ${what}"
#define BODY "${summary}"

static const char *const tls_choices[] = {"try", "require", "none", NULL};

static const PxKey mail_keys[] = {
  {.name = "server", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, server), .required = true},
  {.name = "from", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, from), .required = true},
  {.name = "subject", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, subject)},
  {.name = "body", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, body)},
  {.name = "user", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, user)},
  {.name = "password", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, password)},
  {.name = "tls", .type = PX_KEY_CHOICE, .offset = offsetof(PxMailSettings, tls), .choices = tls_choices},
  {.name = "ca_file", .type = PX_KEY_STRING, .offset = offsetof(PxMailSettings, ca_file)},
  {.name = "digest", .type = PX_KEY_DURATION, .offset = offsetof(PxMailSettings, digest)},
  {.name = "timeout", .type = PX_KEY_DURATION, .offset = offsetof(PxMailSettings, timeout)},
  {.name = "attach", .type = PX_KEY_SIZE, .offset = offsetof(PxMailSettings, attach)},
};

static const PxKey webhook_keys[] = {
  {.name = "url", .type = PX_KEY_STRING, .offset = offsetof(PxWebhookSettings, url), .required = true},
  {.name = "secret", .type = PX_KEY_STRING, .offset = offsetof(PxWebhookSettings, secret), .required = true},
  {.name = "ca_file", .type = PX_KEY_STRING, .offset = offsetof(PxWebhookSettings, ca_file)},
  {.name = "timeout", .type = PX_KEY_DURATION, .offset = offsetof(PxWebhookSettings, timeout)},
};

static void free_mail(PxMailSettings *mail) {
  if (!mail)
    return;
  char *const owned[] = {mail->server, mail->from, mail->subject, mail->body, mail->user, mail->password, mail->ca_file};
  for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
    g_free(owned[i]);
  g_free(mail);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxMailSettings, free_mail)

static void free_webhook(PxWebhookSettings *webhook) {
  if (!webhook)
    return;
  g_free(webhook->url);
  g_free(webhook->secret);
  g_free(webhook->ca_file);
  g_free(webhook);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxWebhookSettings, free_webhook)

void px_notices_free(PxNotices *notices) {
  if (!notices)
    return;
  free_mail(notices->mail);
  free_webhook(notices->webhook);
  g_strfreev(notices->failure_emails);
  g_free(notices->base_url);
  g_free(notices);
}

/* ---- templates */

static const char *const placeholders[] = {"task", "what", "summary", "date", "count"};

/* The index of the placeholder that text begins with, *ret_len how long it is; -1: none. */
static int placeholder_at(const char *text, size_t *ret_len) {
  for (size_t i = 0; i < G_N_ELEMENTS(placeholders); i++) {
    size_t len = strlen(placeholders[i]);
    if (strncmp(text, "${", 2) == 0 && strncmp(text + 2, placeholders[i], len) == 0 && text[2 + len] == '}') {
      *ret_len = len + 3;
      return (int)i;
    }
  }
  return -1;
}

char *px_notice_fill(const char *template, const PxNoticeValues *values) {
  g_autofree char *count = g_strdup_printf("%" G_GUINT64_FORMAT, values->count);
  const char *const texts[G_N_ELEMENTS(placeholders)] = {values->task, values->what, values->summary, values->date, count};
  GString *filled = g_string_new(NULL);
  while (*template) {
    size_t len;
    int i = placeholder_at(template, &len);
    if (i < 0) {
      g_string_append_c(filled, *template ++);
      continue;
    }
    g_string_append(filled, texts[i]);
    template += len;
  }
  return g_string_free(filled, FALSE);
}

static void check_template(const PxConfigNode *section, const char *key, const char *text, PxComplaints *complaints) {
  for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
    size_t len;
    if (placeholder_at(at, &len) < 0)
      px_complain(complaints, px_node_get(section, key), "mail: %s: after ${ comes one of task}, what}, summary}, date}, count}", key);
  }
}

/* ---- mail */

/* Where the host begins in an address of one of these schemes, NULL: it is none, or has a user part. */
static const char *host_in(const char *url, const char *const *schemes) {
  for (; *schemes; schemes++)
    if (g_str_has_prefix(url, *schemes)) {
      const char *host = url + strlen(*schemes);
      size_t len = strcspn(host, "/?#");
      bool wrong = len == 0 || memchr(host, '@', len);
      for (const char *c = url; *c; c++)
        wrong |= !g_ascii_isgraph(*c);
      return wrong ? NULL : host;
    }
  return NULL;
}

static bool is_sender(const char *from) {
  const char *open = strrchr(from, '<');
  size_t len = strlen(from);
  for (const char *c = from; *c; c++)
    if (g_ascii_iscntrl(*c))
      return false;
  if (!open)
    return px_text_is_address(from);
  g_autofree char *address = g_strndup(open + 1, len - (size_t)(open + 1 - from) - 1);
  return from[len - 1] == '>' && px_text_is_address(address) && g_utf8_validate(from, -1, NULL);
}

static void check_mail(const PxConfigNode *section, const PxMailSettings *mail, PxComplaints *complaints) {
  static const char *const schemes[] = {"smtp://", "smtps://", NULL};
  const char *host = mail->server ? host_in(mail->server, schemes) : NULL;
  if (mail->server && (!host || strpbrk(host, "/?#")))
    px_complain(complaints, px_node_get(section, "server"),
                "mail: server: write smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT, and the login as user and password");
  if (mail->from && !is_sender(mail->from))
    px_complain(complaints, px_node_get(section, "from"), "mail: from: write ops@example.com or \"Name <ops@example.com>\"");
  if (!mail->user != !mail->password)
    px_complain(complaints, section, "mail: user and password belong together: write both, or neither");
  if (mail->password && mail->tls == PX_TLS_NONE && px_node_get(section, "tls"))
    px_warn(complaints, px_node_get(section, "tls"), "mail: with tls: none the password crosses the network in clear");
  check_template(section, "subject", mail->subject, complaints);
  check_template(section, "body", mail->body, complaints);
}

static char *resolved(const PxConfig *config, char *path) {
  char *whole = path ? px_config_resolve_path(config, path) : NULL;
  g_free(path);
  return whole;
}

static PxMailSettings *read_mail(const PxConfig *config, const PxConfigNode *section, PxComplaints *complaints) {
  g_autoptr(PxMailSettings) mail = g_new0(PxMailSettings, 1);
  mail->subject = g_strdup(SUBJECT);
  mail->body = g_strdup(BODY);
  mail->digest = DIGEST;
  mail->timeout = TIMEOUT;
  mail->attach = ATTACH;
  px_config_read(section, mail_keys, G_N_ELEMENTS(mail_keys), mail, "mail", complaints);
  mail->ca_file = resolved(config, mail->ca_file);
  if (px_node_type(px_node_get(section, "tls")) == PX_NODE_NULL && mail->password)
    mail->tls = PX_TLS_REQUIRE; /* a password is not for everybody's eyes */
  check_mail(section, mail, complaints);
  return mail->server && mail->from ? g_steal_pointer(&mail) : NULL;
}

static PxWebhookSettings *read_webhook(const PxConfig *config, const PxConfigNode *section, PxComplaints *complaints) {
  static const char *const schemes[] = {"https://", "http://", NULL};
  g_autoptr(PxWebhookSettings) webhook = g_new0(PxWebhookSettings, 1);
  webhook->timeout = TIMEOUT;
  px_config_read(section, webhook_keys, G_N_ELEMENTS(webhook_keys), webhook, "webhook", complaints);
  webhook->ca_file = resolved(config, webhook->ca_file);
  if (webhook->url && !host_in(webhook->url, schemes))
    px_complain(complaints, px_node_get(section, "url"), "webhook: url: write https://HOST/PATH, without a user part");
  if (webhook->secret && !*webhook->secret)
    px_complain(complaints, px_node_get(section, "secret"), "webhook: secret is empty: write a long random text, which the receiver knows too");
  return webhook->url && webhook->secret ? g_steal_pointer(&webhook) : NULL;
}

/* ---- all of it */

static void read_top(const PxConfigNode *root, PxNotices *notices, PxComplaints *complaints) {
  static const char *const schemes[] = {"https://", "http://", NULL};
  const PxConfigNode *emails = px_node_get(root, "failure_emails");
  const PxConfigNode *url = px_node_get(root, "base_url");
  g_autoptr(GStrvBuilder) known = g_strv_builder_new();
  size_t n = px_node_type(emails) == PX_NODE_SEQUENCE ? px_node_count(emails) : px_node_type(emails) == PX_NODE_SCALAR;
  for (size_t i = 0; i < n; i++) {
    const char *text = px_node_text(px_node_type(emails) == PX_NODE_SEQUENCE ? px_node_at(emails, i) : emails);
    if (text && px_text_is_address(text))
      g_strv_builder_add(known, text);
    else
      px_complain(complaints, emails, "failure_emails: \"%s\" is no address: write one such as ops@example.com", text ? text : "");
  }
  if (px_node_type(emails) == PX_NODE_MAP)
    px_complain(complaints, emails, "failure_emails: write a list of addresses");
  notices->failure_emails = n ? g_strv_builder_end(known) : NULL;
  if (px_node_type(url) == PX_NODE_NULL)
    return;
  if (!px_node_text(url) || !host_in(px_node_text(url), schemes)) {
    px_complain(complaints, url, "base_url: write where people reach the program: https://pattimpex.example.com");
    return;
  }
  notices->base_url = g_strdup(px_node_text(url));
  for (size_t len = strlen(notices->base_url); notices->base_url[len - 1] == '/'; len--)
    notices->base_url[len - 1] = '\0';
}

PxNotices *px_notices_read(const PxConfig *config, PxComplaints *complaints) {
  const PxConfigNode *root = px_config_root(config);
  const PxConfigNode *mail = px_node_get(root, "mail");
  const PxConfigNode *webhook = px_node_get(root, "webhook");
  PxNotices *notices = g_new0(PxNotices, 1);
  if (px_node_type(mail) != PX_NODE_NULL)
    notices->mail = read_mail(config, mail, complaints);
  if (px_node_type(webhook) != PX_NODE_NULL)
    notices->webhook = read_webhook(config, webhook, complaints);
  read_top(root, notices, complaints);
  if (notices->failure_emails && px_node_type(mail) == PX_NODE_NULL)
    px_warn(complaints, px_node_get(root, "failure_emails"), "failure_emails has no effect without mail: (server and from)");
  return notices;
}
