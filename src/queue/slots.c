/* SPDX-License-Identifier: Apache-2.0 */
/* Which job is next, as far as its channels have room. Asked twice a claim: outside of a transaction, so that a worker without work writes nothing,
 * and in it. */
#include "queue/slots_private.h"

/* The job of a channel that is due first. */
typedef struct {
  char *channel;
  int64_t id; /* 0: none is due */
  int64_t priority, eta;
  char *kind;
} Head;

typedef struct {
  char *channel, *owner;
} Running;

typedef struct {
  PxDb *db;
  const PxChannels *channels;
  const GPtrArray *kept;
  PxClaims claims;
  int64_t now;
  GPtrArray *heads;   /* Head *, the best first */
  GPtrArray *running; /* Running *; NULL: not asked yet */
  GPtrArray *failed;  /* names of channels with failed jobs; NULL: not asked yet */
} Slots;

static void slots_clear(Slots *slots) {
  g_clear_pointer(&slots->heads, g_ptr_array_unref);
  g_clear_pointer(&slots->running, g_ptr_array_unref);
  g_clear_pointer(&slots->failed, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Slots, slots_clear)

static void free_head(gpointer data) {
  Head *head = data;
  g_free(head->channel);
  g_free(head->kind);
  g_free(head);
}

static gpointer read_head(PxColumns *columns) {
  Head *head = g_new0(Head, 1);
  head->channel = px_column_text(columns);
  head->id = px_column_integer(columns);
  head->priority = px_column_integer(columns);
  head->eta = px_column_integer(columns);
  head->kind = px_column_text(columns);
  return head;
}

static void free_running(gpointer data) {
  Running *running = data;
  g_free(running->channel);
  g_free(running->owner);
  g_free(running);
}

static gpointer read_running(PxColumns *columns) {
  Running *running = g_new0(Running, 1);
  running->channel = px_column_text(columns);
  running->owner = px_column_text(columns);
  return running;
}

static int compare(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int by_turn(gconstpointer a, gconstpointer b) {
  const Head *one = *(const Head *const *)a;
  const Head *other = *(const Head *const *)b;
  int order = compare(one->priority, other->priority);
  order = order ? order : compare(one->eta, other->eta);
  return order ? order : compare(one->id, other->id);
}

/* The pending job of a channel that is first in line, due or not; id 0: there is none. */
typedef struct {
  int64_t id, priority, eta;
  char *task;
} First;

static bool read_first(PxDb *db, const char *channel, First *ret_first, GError **error) {
  PxBinder binder;
  *ret_first = (First){0};
  if (!px_queue_statement(db, "job_first", &binder, error))
    return false;
  px_bind_text(&binder, channel);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step != PX_STEP_ROW)
    return step == PX_STEP_DONE;
  PxColumns columns = {.stmt = binder.stmt};
  ret_first->id = px_column_integer(&columns);
  ret_first->priority = px_column_integer(&columns);
  ret_first->eta = px_column_integer(&columns);
  ret_first->task = px_column_text(&columns);
  px_stmt_reset(binder.stmt);
  return true;
}

static bool is_sequential(const PxChannels *channels, const char *name) {
  for (size_t i = 0; i < px_channels_count(channels); i++)
    if (px_channels_at(channels, i)->sequential && px_channel_holds(px_channels_at(channels, i), name))
      return true;
  return false;
}

/* In a sequential channel the time a job is due does not change its place in the line. */
static bool line_up(const Slots *slots, Head *head, const char *const *tasks, GError **error) {
  First first;
  if (!is_sequential(slots->channels, head->channel))
    return true;
  if (!read_first(slots->db, head->channel, &first, error))
    return false;
  bool wanted = !tasks || (first.task && g_strv_contains(tasks, first.task));
  head->id = wanted && first.eta <= slots->now ? first.id : 0;
  head->priority = first.priority;
  head->eta = first.eta;
  g_free(first.task);
  return true;
}

static bool add_heads(Slots *slots, const char *task, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(slots->db, "job_heads", &binder, error))
    return false;
  px_bind_integer(&binder, slots->now);
  px_bind_filter(&binder, task);
  GPtrArray *heads = px_read_rows(&binder, read_head, NULL, error);
  if (!heads)
    return false;
  g_ptr_array_extend_and_steal(slots->heads, heads);
  return true;
}

static bool is_notice(const Head *head) {
  return strcmp(head->channel, PX_CHANNEL_NOTICE) == 0;
}

static void sort_out(Slots *slots) {
  for (guint i = 0; i < slots->heads->len; i++) {
    Head *head = slots->heads->pdata[i];
    if (slots->claims != PX_CLAIMS_ALL && is_notice(head) != (slots->claims == PX_CLAIMS_NOTICES))
      head->id = 0;
  }
}

static bool read_slots(Slots *slots, const char *const *tasks, GError **error) {
  slots->heads = g_ptr_array_new_with_free_func(free_head);
  if (!tasks && !add_heads(slots, NULL, error))
    return false;
  for (; tasks && *tasks; tasks++)
    if (!add_heads(slots, *tasks, error))
      return false;
  for (guint i = 0; i < slots->heads->len; i++)
    if (!line_up(slots, slots->heads->pdata[i], tasks, error))
      return false;
  g_ptr_array_sort(slots->heads, by_turn);
  sort_out(slots);
  return true;
}

/* ---- whether a channel has room */

static bool is_kept(const Slots *slots, const PxChannel *channel) {
  for (guint i = 0; slots->kept && i < slots->kept->len; i++)
    if (px_channel_holds(channel, slots->kept->pdata[i]))
      return true;
  return false;
}

static bool read_all_running(Slots *slots, GError **error) {
  PxBinder binder;
  if (!slots->running && px_queue_statement(slots->db, "job_running", &binder, error))
    slots->running = px_read_rows(&binder, read_running, free_running, error);
  return slots->running != NULL;
}

static bool has_place(Slots *slots, const PxChannel *channel, bool *ret_has, GError **error) {
  *ret_has = is_kept(slots, channel);
  if (*ret_has)
    return true;
  if (!read_all_running(slots, error))
    return false;
  g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < slots->running->len; i++) {
    const Running *running = slots->running->pdata[i];
    if (running->owner && px_channel_holds(channel, running->channel))
      g_hash_table_add(owners, running->owner);
  }
  *ret_has = g_hash_table_size(owners) < channel->capacity;
  return true;
}

static bool last_start(const Slots *slots, const PxChannel *channel, int64_t *ret_when, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(slots->db, "channel_last_start", &binder, error))
    return false;
  px_bind_integer(&binder, slots->now);
  px_bind_text(&binder, channel->name);
  return px_run_for_id(&binder, ret_when, error);
}

static bool has_failed(Slots *slots, const PxChannel *channel, bool *ret_has, GError **error) {
  PxBinder binder;
  *ret_has = false;
  if (!slots->failed && px_queue_statement(slots->db, "job_failed_channels", &binder, error))
    slots->failed = px_read_rows(&binder, px_read_text, g_free, error);
  for (guint i = 0; slots->failed && i < slots->failed->len; i++)
    *ret_has |= px_channel_holds(channel, slots->failed->pdata[i]);
  return slots->failed != NULL;
}

/* Whether a pending job of the channel of head comes before job, whenever it is due. */
static bool is_before(const Slots *slots, const Head *head, const Head *job, bool *ret_is, GError **error) {
  First first;
  if (!read_first(slots->db, head->channel, &first, error))
    return false;
  int order = compare(first.priority, job->priority);
  *ret_is |= first.id && (order ? order : compare(first.id, job->id)) < 0;
  g_free(first.task);
  return true;
}

static int by_name(gconstpointer a, gconstpointer b) {
  const PxChannel *one = *(const PxChannel *const *)a;
  const PxChannel *other = *(const PxChannel *const *)b;
  return strcmp(one->name, other->name);
}

static bool is_first(Slots *slots, const PxChannel *channel, const Head *job, bool *ret_first, GError **error) {
  bool behind = false;
  if (!has_failed(slots, channel, &behind, error))
    return false;
  for (guint i = 0; !behind && i < slots->heads->len; i++) {
    const Head *head = slots->heads->pdata[i];
    if (px_channel_holds(channel, head->channel) && !is_before(slots, head, job, &behind, error))
      return false;
  }
  *ret_first = !behind;
  return true;
}

static bool has_room(Slots *slots, const PxChannel *channel, const Head *job, bool *ret_room, GError **error) {
  if (!has_place(slots, channel, ret_room, error))
    return false;
  if (*ret_room && channel->throttle) {
    int64_t last;
    if (!last_start(slots, channel, &last, error))
      return false;
    /* A clock that was set back must not stop the channel. */
    *ret_room = !last || slots->now >= last + channel->throttle || slots->now < last;
  }
  return !*ret_room || !channel->sequential || is_first(slots, channel, job, ret_room, error);
}

/* The limits that a job of a channel heeds: const PxChannel *, those that hold others before them. */
static GPtrArray *limits_of(const PxChannels *channels, const char *name) {
  static char notice[] = PX_CHANNEL_NOTICE;
  static PxChannel notices = {.name = notice, .capacity = 1};
  GPtrArray *limits = g_ptr_array_new();
  if (strcmp(name, PX_CHANNEL_NOTICE) == 0)
    g_ptr_array_add(limits, &notices);
  for (size_t i = 0; i < px_channels_count(channels); i++) {
    const PxChannel *channel = px_channels_at(channels, i);
    if (px_channel_holds(channel, name))
      g_ptr_array_add(limits, (gpointer)(uintptr_t)channel);
  }
  g_ptr_array_sort(limits, by_name);
  return limits;
}

static bool may_start(Slots *slots, const Head *job, bool *ret_may, GError **error) {
  g_autoptr(GPtrArray) limits = limits_of(slots->channels, job->channel);
  *ret_may = true;
  for (guint i = 0; *ret_may && i < limits->len; i++)
    if (!has_room(slots, limits->pdata[i], job, ret_may, error))
      return false;
  return true;
}

/* Whether another claim could take what this one counts on. */
static bool is_contended(const Slots *slots, const char *name) {
  g_autoptr(GPtrArray) limits = limits_of(slots->channels, name);
  bool contended = px_slots_are_paced(slots->channels, name);
  for (guint i = 0; !contended && i < limits->len; i++)
    contended = !is_kept(slots, limits->pdata[i]);
  return contended;
}

void px_turn_clear(PxTurn *turn) {
  g_clear_pointer(&turn->channel, g_free);
  g_clear_pointer(&turn->kind, g_free);
  turn->id = 0;
}

bool px_slots_next(const PxSlotsQuery *query, PxTurn *ret_turn, GError **error) {
  g_auto(Slots) slots = {.db = query->db, .channels = query->channels, .kept = query->kept, .claims = query->claims, .now = query->now};
  px_turn_clear(ret_turn);
  if (!read_slots(&slots, query->tasks, error))
    return false;
  for (guint i = 0; i < slots.heads->len && !ret_turn->id; i++) {
    Head *job = slots.heads->pdata[i];
    bool may = false;
    if (job->id && !may_start(&slots, job, &may, error))
      return false;
    if (!may)
      continue;
    bool contended = is_contended(&slots, job->channel);
    *ret_turn = (PxTurn){job->id, g_steal_pointer(&job->channel), g_steal_pointer(&job->kind), job->priority, job->eta, contended};
  }
  return true;
}

bool px_slots_lock(PxDb *db, const PxChannels *channels, const char *name, bool waits, bool *ret_locked, GError **error) {
  g_autoptr(GPtrArray) limits = limits_of(channels, name);
  g_autofree PxValue *names = g_new(PxValue, limits->len);
  PxBinder binder;
  for (guint i = 0; i < limits->len; i++)
    names[i] = px_value_string(((const PxChannel *)limits->pdata[i])->name);
  *ret_locked = true;
  if (px_db_dialect(db) != PX_DIALECT_POSTGRES)
    return true;
  if (!px_queue_statement(db, waits ? "claim_lock" : "claim_try_lock", &binder, error))
    return false;
  px_stmt_bind_array(binder.stmt, 0, names, limits->len);
  int64_t locked;
  bool asked = px_run_for_id(&binder, &locked, error);
  *ret_locked = asked && locked;
  return asked;
}

bool px_slots_are_paced(const PxChannels *channels, const char *name) {
  for (size_t i = 0; i < px_channels_count(channels); i++) {
    const PxChannel *channel = px_channels_at(channels, i);
    if ((channel->throttle || channel->sequential) && px_channel_holds(channel, name))
      return true;
  }
  return false;
}

bool px_slots_started(PxDb *db, const PxChannels *channels, const PxJob *job, int64_t now, GError **error) {
  for (size_t i = 0; i < px_channels_count(channels); i++) {
    const PxChannel *channel = px_channels_at(channels, i);
    if (!channel->throttle || !px_channel_holds(channel, job->channel))
      continue;
    PxBinder binder;
    if (!px_queue_statement(db, "channel_start", &binder, error))
      return false;
    px_bind_text(&binder, channel->name);
    px_bind_integer(&binder, now);
    if (!px_run_bound(&binder, error))
      return false;
  }
  return true;
}
