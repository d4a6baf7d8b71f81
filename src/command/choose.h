/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What retry, cancel and set-done act on: numbers, or what filters find. */
#include "command/list.h"
#include "flow/flow.h"

typedef struct {
  PxSubject subject;
  int64_t *ids;
  unsigned n;
} PxChosen;
void px_chosen_clear(PxChosen *chosen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxChosen, px_chosen_clear)

/* "file", "attachment", "job" */
const char *px_subject_name(PxSubject subject);

extern gboolean px_choose_yes;
/* An entry of the options of such a command. */
#define PX_CHOOSE_YES                                                                                                                                \
  { "yes", 'y', 0, G_OPTION_ARG_NONE, &px_choose_yes, "Do not ask before acting on what filters find", NULL }

/* What the command line says, before anything is open: "7 8" and "file 7 8" are files, "job 3" is a job, "job" with filters of px_list_options is
 * what they will find. PX_ERROR_USAGE: neither numbers nor filters, or both. */
bool px_choose(const PxCommandLine *line, PxChosen *ret_chosen, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Finds what filters choose, oldest first, in one of the states (a set of 1 << PxState) where --state does not say which. */
bool px_choose_find(const PxProject *project, unsigned states, PxChosen *chosen, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where filters chose: says how many, and asks on a terminal unless --yes was given. doing: "retry". *ret_yes false: the person said no.
 * PX_ERROR_USAGE where nobody can be asked. */
bool px_choose_ask(const PxCommandLine *line, const PxChosen *chosen, const char *doing, bool *ret_yes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
