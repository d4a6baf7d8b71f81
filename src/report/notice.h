/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Notices on their way out of the program: mail by SMTP and a webhook. What they say is made by flow/notice_text.c. */
#include "config/config.h"

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- settings: mail, webhook, failure_emails, base_url */

typedef enum { PX_TLS_TRY /* STARTTLS when the server has it */, PX_TLS_REQUIRE, PX_TLS_NONE } PxTls;

typedef struct {
  char *server; /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
  char *from;   /* "ops@example.com" or "Name <ops@example.com>" */
  char *subject, *body;
  char *user, *password; /* NULL: no login. The password is never shown */
  PxTls tls;
  char *ca_file;  /* NULL: the system's certificates */
  int64_t digest; /* microseconds between two mails of a task */
  int64_t timeout;
  uint64_t attach; /* bytes of error files that go along; 0: none */
} PxMailSettings;

typedef struct {
  char *url, *secret; /* neither is ever shown: an address may be a secret too */
  char *ca_file;
  int64_t timeout;
} PxWebhookSettings;

typedef struct {
  PxMailSettings *mail;       /* NULL: no mail is sent */
  PxWebhookSettings *webhook; /* NULL: none */
  char **failure_emails;      /* of what belongs to no task, and of tasks that name none; NULL: nobody */
  char *base_url;             /* without / at its end; NULL: no links */
} PxNotices;

/* Never NULL. Complains with places. */
PxNotices *px_notices_read(const PxConfig *config, PxComplaints *complaints);
void px_notices_free(PxNotices *notices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNotices, px_notices_free)

/* What ${...} stands for in subject and body. */
typedef struct {
  const char *task, *what, *summary, *date;
  uint64_t count;
} PxNoticeValues;
/* Caller frees. */
char *px_notice_fill(const char *template, const PxNoticeValues *values);

/* ---- sending. Both block for at most their timeout and some seconds. PX_ERROR_UNREACHABLE, PX_ERROR_TRANSIENT: may work later; PX_ERROR_CONFIG: a
 * certificate, a login, TLS; PX_ERROR_REFUSED: the server does not take it;
 * PX_ERROR_STOPPED: *stop is not 0 (stop NULL: never). No message has a password, a user part or a path of an address. */

typedef struct {
  char *name;
  GBytes *bytes;
} PxMailPart;
void px_mail_part_free(PxMailPart *part);

typedef struct {
  const char *const *to;
  const char *subject, *body; /* UTF-8; control characters become blanks in the subject */
  const char *id;             /* what makes the Message-ID: the same for every try */
  int64_t date;               /* microseconds since the epoch */
  const GPtrArray *parts;     /* PxMailPart *, attached; NULL: none */
} PxMail;
bool px_mail_send(const PxMailSettings *settings, const PxMail *mail, const volatile sig_atomic_t *stop, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A text as a header has it (RFC 2047), folded after 75 characters. Caller frees. */
char *px_mail_header_text(const char *text);

/* POSTs a JSON body with the headers Pattimpex-Id, Pattimpex-Timestamp and Pattimpex-Signature: sha256=HEX, the HMAC-SHA256 of "TIMESTAMP.BODY". */
bool px_webhook_send(const PxWebhookSettings *settings, const char *id, int64_t now, const char *body, const volatile sig_atomic_t *stop,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
