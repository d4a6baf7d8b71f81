/* SPDX-License-Identifier: Apache-2.0 */
/* Connections besides the first, each with a thread while there is something to do. They are kept: what is new of one is a handshake. */
#include "storage/s3_private.h"

#include "base/thread.h"

typedef struct {
  PxS3Work work;
  void *data;
  unsigned n;
  int next; /* atomic */
  int ends; /* atomic: one has said that the rest need not be done */
} Share;

typedef struct {
  PxS3 s3;
  Share *share;
  GThread *thread;
} Member;

static void member_free(void *data) {
  Member *member = data;
  px_s3_done(&member->s3);
  g_free(member);
}

static void do_share(Share *share, PxS3 *s3) {
  for (unsigned i; !g_atomic_int_get(&share->ends) && (i = (unsigned)g_atomic_int_add(&share->next, 1)) < share->n;)
    if (!share->work(s3, i, share->data))
      g_atomic_int_set(&share->ends, 1);
}

static void *help(void *data) {
  Member *member = data;
  do_share(member->share, &member->s3);
  return NULL;
}

static void start_member(PxS3 *s3, unsigned i, Share *share) {
  if (!s3->crew)
    s3->crew = g_ptr_array_new_with_free_func(member_free);
  if (i == s3->crew->len) {
    Member *new = g_new0(Member, 1);
    new->s3 = (PxS3){.settings = s3->settings, .pace = s3->pace};
    g_ptr_array_add(s3->crew, new);
  }
  Member *member = s3->crew->pdata[i];
  member->share = share;
  member->s3.writes_anyway = s3->writes_anyway;
  member->s3.copies_anyway = s3->copies_anyway;
  px_s3_credentials_clear(&member->s3.credentials);
  px_s3_credentials_copy(&member->s3.credentials, &s3->credentials);
  member->thread = px_thread_start("s3", help, member);
}

static void join_member(PxS3 *s3, unsigned i) {
  Member *member = s3->crew->pdata[i];
  g_thread_join(member->thread);
  s3->writes_anyway |= member->s3.writes_anyway;
  s3->copies_anyway |= member->s3.copies_anyway;
}

void px_s3_share_out(PxS3 *s3, unsigned n, PxS3Work work, void *data) {
  Share share = {.work = work, .data = data, .n = n};
  unsigned n_members = MIN((unsigned)s3->settings->parts_at_once, MAX(n, 1)) - 1;
  for (unsigned i = 0; i < n_members; i++)
    start_member(s3, i, &share);
  do_share(&share, s3);
  for (unsigned i = 0; i < n_members; i++)
    join_member(s3, i);
}

void px_s3_hang_up(PxS3 *s3) {
  g_clear_pointer(&s3->crew, g_ptr_array_unref);
}
