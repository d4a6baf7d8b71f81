/* SPDX-License-Identifier: Apache-2.0 */
#include "command/choose.h"

#include <stdio.h>
#include <unistd.h>

gboolean px_choose_yes;

/* What a row of a list is. */
typedef struct {
  int64_t id;
  PxState state;
} Row;

static Row file_row(gconstpointer row) {
  const PxPatternFile *file = row;
  return (Row){file->id, file->state};
}

static Row attachment_row(gconstpointer row) {
  const PxAttachment *attachment = row;
  return (Row){attachment->id, attachment->state};
}

static Row job_row(gconstpointer row) {
  const PxJob *job = row;
  return (Row){job->id, job->state};
}

static const struct {
  const char *name;
  GPtrArray *(*list)(PxDb *db, const PxListFilter *filter, GError **error);
  Row (*read)(gconstpointer row);
} subjects[] = {
  [PX_SUBJECT_FILE] = {"file", px_file_list, file_row},
  [PX_SUBJECT_ATTACHMENT] = {"attachment", px_attachment_list, attachment_row},
  [PX_SUBJECT_JOB] = {"job", px_job_list, job_row},
};

const char *px_subject_name(PxSubject subject) {
  return subjects[subject].name;
}

void px_chosen_clear(PxChosen *chosen) {
  g_free(chosen->ids);
}

static bool names_subject(const PxCommandLine *line, PxSubject *ret_subject) {
  for (unsigned i = 0; line->n_args > 0 && i < G_N_ELEMENTS(subjects); i++)
    if (g_str_equal(line->args[0], subjects[i].name)) {
      *ret_subject = (PxSubject)i;
      return true;
    }
  *ret_subject = PX_SUBJECT_FILE;
  return false;
}

static bool choose_by_number(const char *const *args, unsigned n, PxChosen *chosen, GError **error) {
  chosen->ids = g_new0(int64_t, n);
  chosen->n = n;
  for (unsigned i = 0; i < n; i++)
    if (!px_command_id(args[i], subjects[chosen->subject].name, &chosen->ids[i], error))
      return false;
  return true;
}

bool px_choose_find(const PxProject *project, unsigned states, PxChosen *chosen, GError **error) {
  PxListFilter filter;
  if (!px_list_is_filtered())
    return true;
  if (!px_list_filter(project, &filter, error) || !px_list_limit(0, &filter.limit, error))
    return false;
  g_autoptr(GPtrArray) rows = subjects[chosen->subject].list(project->db, &filter, error);
  if (!rows)
    return false;
  g_free(chosen->ids);
  chosen->ids = g_new0(int64_t, rows->len + 1);
  for (guint i = rows->len; i > 0; i--) {
    Row row = subjects[chosen->subject].read(rows->pdata[i - 1]);
    if (filter.state || states & 1U << row.state)
      chosen->ids[chosen->n++] = row.id;
  }
  return true;
}

bool px_choose(const PxCommandLine *line, PxChosen *ret_chosen, GError **error) {
  g_auto(PxChosen) chosen = {0};
  unsigned named = names_subject(line, &chosen.subject);
  unsigned n = line->n_args - named;
  const char *name = subjects[chosen.subject].name;
  if (!px_list_check(chosen.subject == PX_SUBJECT_JOB, error))
    return false;
  if (n > 0 && px_list_is_filtered()) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: give the numbers of %ss, or filters, not both", name);
    return false;
  }
  if (n == 0 && !px_list_is_filtered()) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: which %s? Give its number, or filters such as --state failed", name);
    return false;
  }
  if (!choose_by_number(line->args + named, n, &chosen, error))
    return false;
  *ret_chosen = chosen;
  chosen.ids = NULL;
  return true;
}

bool px_choose_ask(const PxCommandLine *line, const PxChosen *chosen, const char *doing, bool *ret_yes, GError **error) {
  *ret_yes = true;
  if (!px_list_is_filtered() || chosen->n == 0)
    return true;
  g_autofree char *count = px_count_text(chosen->n, subjects[chosen->subject].name);
  if (px_choose_yes) {
    if (!line->json && !line->quiet)
      printf("%s: %s\n", doing, count);
    return true;
  }
  if (!isatty(STDIN_FILENO)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: this is about %s: add --yes to do it", doing, count);
    return false;
  }
  char answer[16] = "";
  fprintf(stderr, "%s %s? [y/N] ", doing, count);
  *ret_yes = fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
  return true;
}
