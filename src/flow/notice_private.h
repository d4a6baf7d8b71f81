/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What notice.c (when) and notice_text.c (what) share. */
#include "flow/flow_private.h"
#include "report/notice.h"

/* Who is mailed about a task (NULL: about what belongs to none). NULL: nobody. Borrowed. */
char **px_notice_recipients(const PxProject *project, const char *task_name);

typedef struct {
  char *subject, *body;
  GPtrArray *parts; /* PxMailPart * */
} PxNoticeText;
void px_notice_text_free(PxNoticeText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNoticeText, px_notice_text_free)
/* A mail about notices of one task: a paragraph each, with the first messages, links, and error files as far as they are small enough. */
PxNoticeText *px_notice_text(PxProject *project, const GPtrArray *notices, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One notice for the webhook; *ret_id is the same for every try, caller frees. */
char *px_notice_json(const PxProject *project, const PxNotice *notice, char **ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
