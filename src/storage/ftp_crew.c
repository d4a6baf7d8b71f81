/* SPDX-License-Identifier: Apache-2.0 */
/* Connections besides the first. Many servers count those of an address and refuse what is too many (421, or 530 of the login), so they log in one
 * by one, and the first that is refused is the last that tries. */
#include "storage/ftp_private.h"

#include "base/thread.h"

#define REFUSED_LASTS (10 * 60 * G_USEC_PER_SEC)

typedef struct {
  PxFtpCrew *crew;
  PxFtp *ftp;
  GThread *thread;
  bool is_in; /* its connection did well when it was used last */
} Member;

struct PxFtpCrew {
  GPtrArray *members;
  PxFtpWork work;
  void *data;
  bool is_at_work;
  int gives_up; /* atomic */
  GMutex login;
  int64_t refused; /* when; 0: not at all */
};

static void member_free(void *data) {
  Member *member = data;
  px_ftp_close(member->ftp);
  g_free(member);
}

PxFtpCrew *px_ftp_crew_new(void) {
  PxFtpCrew *crew = g_new0(PxFtpCrew, 1);
  crew->members = g_ptr_array_new_with_free_func(member_free);
  g_mutex_init(&crew->login);
  return crew;
}

void px_ftp_crew_free(PxFtpCrew *crew) {
  g_ptr_array_unref(crew->members);
  g_mutex_clear(&crew->login);
  g_free(crew);
}

static bool was_refused(const PxFtpCrew *crew) {
  return crew->refused != 0 && g_get_monotonic_time() - crew->refused < REFUSED_LASTS;
}

static bool ping(PxFtp *ftp) {
  px_ftp_begin(ftp);
  px_ftp_add(ftp, "NOOP", NULL);
  return px_ftp_send(ftp, NULL);
}

static bool log_in(Member *member) {
  PxFtpCrew *crew = member->crew;
  g_mutex_lock(&crew->login);
  bool may_try = !g_atomic_int_get(&crew->gives_up) && !was_refused(crew);
  member->is_in = may_try && ping(member->ftp);
  if (may_try && !member->is_in && !g_atomic_int_get(&crew->gives_up))
    crew->refused = g_get_monotonic_time();
  g_mutex_unlock(&crew->login);
  return member->is_in;
}

static void *serve(void *data) {
  Member *member = data;
  if (member->is_in || log_in(member))
    member->is_in = member->crew->work(member->ftp, member->crew->data);
  return NULL;
}

static Member *member_at(PxFtpCrew *crew, const PxFtp *first, guint i) {
  if (i < crew->members->len)
    return crew->members->pdata[i];
  PxFtp *ftp = px_ftp_sibling(first);
  if (!ftp)
    return NULL;
  Member *member = g_new0(Member, 1);
  *member = (Member){.crew = crew, .ftp = ftp};
  g_ptr_array_add(crew->members, member);
  return member;
}

bool px_ftp_crew_start(PxFtpCrew *crew, const PxFtp *first, unsigned n, PxFtpWork work, void *data) {
  if (crew->is_at_work || n == 0)
    return false;
  crew->work = work;
  crew->data = data;
  crew->is_at_work = true;
  bool refused = was_refused(crew);
  for (guint i = 0; i < n; i++) {
    Member *member = member_at(crew, first, i);
    if (member && (member->is_in || !refused))
      member->thread = px_thread_start("ftp", serve, member);
  }
  return true;
}

void px_ftp_crew_join(PxFtpCrew *crew, bool give_up) {
  g_atomic_int_set(&crew->gives_up, give_up);
  for (guint i = 0; i < crew->members->len && give_up; i++)
    px_exchange_stop(px_ftp_exchange(((Member *)crew->members->pdata[i])->ftp), true);
  for (guint i = 0; i < crew->members->len; i++) {
    Member *member = crew->members->pdata[i];
    if (member->thread)
      (void)g_thread_join(g_steal_pointer(&member->thread));
    px_exchange_stop(px_ftp_exchange(member->ftp), false);
  }
  g_atomic_int_set(&crew->gives_up, false);
  crew->is_at_work = false;
}

void px_ftp_crew_hang_up(PxFtpCrew *crew) {
  if (!crew->is_at_work)
    g_ptr_array_set_size(crew->members, 0);
}
