/* SPDX-License-Identifier: Apache-2.0 */
/* Files on their way into the database. */
#include "suites.h"

static bool take(PxSummary *summary, void *data, GError **error) {
  PxSummary **ret = data;
  g_assert_null(*ret);
  *ret = summary;
  return true;
}

static PxSummary *import(Fixture *f, const char *pattern, const char *text, bool no_history) {
  g_autoptr(GError) error = NULL;
  fixture_write(f, "hand.csv", text, 0);
  g_autofree char *path = fixture_path(f, "hand.csv");
  PxSummary *summary = NULL;
  const PxImportByHand options = {.pattern = pattern, .file = path, .no_history = no_history, .take = take, .take_data = &summary};
  g_assert_true(px_import_by_hand(f->project, &options, &error));
  g_assert_no_error(error);
  return summary;
}

static bool count_message(const PxMessage *message, void *data) {
  ++*(unsigned *)data;
  return true;
}

static unsigned messages_of(const Fixture *f, const PxSummary *summary) {
  unsigned n = 0;
  g_assert_true(px_summary_messages(f->project, summary, count_message, &n, NULL));
  return n;
}

static const char mixed[] = "email#key,name,country_id|code\n"
                            "b@x.test,B,FR\n"
                            "c@x.test,C,XX\n"
                            ",,\n"
                            "d@x.test,,\n"
                            "alice@x.test,Alice,\n";

static void good_rows_are_imported_and_bad_ones_told(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "partner", mixed, false);
  g_assert_cmpint(summary->state, ==, PX_STATE_FAILED);
  g_assert_cmpuint(summary->counts.rows, ==, 5);
  g_assert_cmpuint(summary->counts.created, ==, 1);
  g_assert_cmpuint(summary->counts.unchanged, ==, 1);
  g_assert_cmpuint(summary->counts.failed, ==, 2);
  g_assert_cmpuint(summary->counts.skipped, ==, 1);
  g_assert_cmpuint(messages_of(f, summary), ==, 2);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_chunk"), ==, 3); /* of two rows */
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE state <> 'done'"), ==, 0);
}

static void without_history_no_row_of_ours_is_left(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "partner", mixed, true);
  g_assert_cmpuint(summary->counts.failed, ==, 2);
  g_assert_cmpuint(messages_of(f, summary), ==, 2);
  g_assert_cmpint(fixture_ask(f, "SELECT (SELECT count(*) FROM pattimpex_attachment) + (SELECT count(*) FROM pattimpex_file) +"
                                 " (SELECT count(*) FROM pattimpex_job)"),
                  ==, 0);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 2);
}

static void abort_changes_nothing_and_keeps_the_messages(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "all_or_none", mixed, false);
  g_assert_cmpint(summary->state, ==, PX_STATE_FAILED);
  g_assert_cmpuint(summary->counts.created, ==, 0);
  g_assert_cmpuint(summary->counts.failed, ==, 2);
  g_assert_cmpuint(messages_of(f, summary), ==, 2);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  g_autoptr(PxSummary) good = import(f, "all_or_none", "email#key,name\nb@x.test,B\n", false);
  g_assert_cmpint(good->state, ==, PX_STATE_DONE);
  g_assert_cmpuint(good->counts.created, ==, 1);
}

static void broken_syntax_behind_good_rows_changes_nothing(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "partner", "email#key,name\nb@x.test,B\nc@x.test,C\nd@x.test,\"open\n", false);
  g_assert_cmpint(summary->state, ==, PX_STATE_REFUSED);
  g_assert_cmpuint(messages_of(f, summary), ==, 1);
  g_assert_nonnull(summary->error);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
}

/* Larger than what is kept in memory between the two readings. */
static void broken_end_of_a_large_file_changes_nothing(Fixture *f, gconstpointer data) {
  g_autoptr(GString) text = g_string_new("email#key,name\n");
  for (unsigned i = 0; text->len < 9 * 1024 * 1024; i++)
    g_string_append_printf(text, "%u@x.test,%01000u\n", i, i);
  g_string_append(text, "x@x.test,\"open\n");
  g_autoptr(PxSummary) summary = import(f, "partner", text->str, false);
  g_assert_cmpint(summary->state, ==, PX_STATE_REFUSED);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
}

static void refused_files(Fixture *f, gconstpointer data) {
  static const char *const texts[] = {"", "email#key,nmae\n", "#a,#b\n1,2\n", "email#key,email#key\n", "\n"};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(PxSummary) summary = import(f, "partner", texts[i], i % 2);
    g_assert_cmpint(summary->state, ==, PX_STATE_REFUSED);
    g_assert_cmpuint(messages_of(f, summary), >=, 1);
  }
}

static void header_alone_is_done(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "partner", "email#key,name\n", false);
  g_assert_cmpint(summary->state, ==, PX_STATE_DONE);
  g_assert_cmpuint(summary->counts.rows, ==, 0);
}

static void stops_at_max_errors(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "few_errors", "email#key,name\na@x.test,\nb@x.test,B\nc@x.test,\nd@x.test,D\n", false);
  g_assert_cmpint(summary->state, ==, PX_STATE_FAILED);
  g_assert_nonnull(strstr(summary->error, "max_errors"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'B'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'D'"), ==, 0);
}

static void abort_says_that_it_stopped_at_max_errors(Fixture *f, gconstpointer data) {
  g_autoptr(PxSummary) summary = import(f, "all_or_few", "email#key,name\na@x.test,\nb@x.test,B\nc@x.test,\nd@x.test,\n", false);
  g_assert_cmpuint(summary->counts.failed, ==, 2);
  g_assert_nonnull(summary->error);
  g_assert_nonnull(strstr(summary->error, "max_errors"));
}

/* A chunk of wide rows ends before it has its number of rows. */
static void chunks_are_bounded_by_bytes(Fixture *f, gconstpointer data) {
  g_autoptr(GString) text = g_string_new("email#key,name,#\n");
  const unsigned rows = 20000;
  for (unsigned i = 0; i < rows; i++)
    g_string_append_printf(text, "%u@x.test,A,%01000u\n", i, i);
  g_autoptr(PxSummary) summary = import(f, "large", text->str, false);
  g_assert_cmpuint(summary->counts.created, ==, rows);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_chunk"), >, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT max(last_row - first_row) FROM pattimpex_chunk"), <, 10000);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, rows + 1);
}

/* One row of the header alone is more than a chunk may hold. */
static void header_larger_than_a_chunk_is_read(Fixture *f, gconstpointer data) {
  g_autofree char *comment = g_strnfill(9 * 1024 * 1024, 'x');
  g_autofree char *text = g_strdup_printf("email#key,name,#%s\nb@x.test,B,\n", comment);
  g_autoptr(PxSummary) summary = import(f, "partner", text, false);
  g_assert_cmpuint(summary->counts.created, ==, 1);
}

static bool expect_column(const PxMessage *message, void *data) {
  g_assert_cmpstr(message->column, ==, data);
  return true;
}

static void messages_name_the_columns_of_the_file(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxSummary) summary = import(f, "named", "Mail,Land,Who\nb@x.test,XX,B\n", false);
  g_assert_cmpuint(messages_of(f, summary), ==, 1);
  g_assert_true(px_summary_messages(f->project, summary, expect_column, (void *)(uintptr_t) "Land", &error));
  g_autoptr(PxSummary) refused = import(f, "named", "Mail,Mail\nb@x.test,b@x.test\n", false);
  g_assert_cmpint(refused->state, ==, PX_STATE_REFUSED);
  g_assert_true(px_summary_messages(f->project, refused, expect_column, (void *)(uintptr_t) "Mail", &error));
}

/* ---- rows that make the database end the transaction */

static const char ends_transaction[] = "CREATE TRIGGER no_n BEFORE INSERT ON partner WHEN new.name = 'N' "
                                       "BEGIN SELECT RAISE(ROLLBACK, 'no N here'); END;";

static const char with_n[] = "email#key,name,country_id|code\n"
                             "b@x.test,B,FR\nc@x.test,C,FR\nd@x.test,D,XX\n"               /* row 4: no country */
                             "e@x.test,N,FR\nf@x.test,F,FR\ng@x.test,N,BE\nh@x.test,,BE\n" /* 5 and 7: the trigger; 8: no name */
                             "i@x.test,I,BE\n";

static bool note_row(const PxMessage *message, void *data) {
  g_string_append_printf(data, "%" G_GUINT64_FORMAT ":%s ", message->row, message->type);
  return true;
}

static void check_with_n(const Fixture *f, const PxSummary *summary, unsigned created) {
  g_autoptr(GString) rows = g_string_new(NULL);
  g_assert_true(px_summary_messages(f->project, summary, note_row, rows, NULL));
  g_assert_cmpstr(rows->str, ==, "4:not_found 5:trigger 7:trigger 8:required ");
  g_assert_cmpuint(summary->counts.rows, ==, 8);
  g_assert_cmpuint(summary->counts.failed, ==, 4);
  g_assert_cmpuint(summary->counts.created, ==, created);
}

static void rollback_by_a_trigger_loses_no_row(Fixture *f, gconstpointer data) {
  fixture_exec(f, ends_transaction);
  fixture_reopen(f, false);
  g_autoptr(PxSummary) summary = import(f, "partner", with_n, false);
  check_with_n(f, summary, 4);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 5);
}

static void rollback_by_a_trigger_in_an_abort_import(Fixture *f, gconstpointer data) {
  fixture_exec(f, ends_transaction);
  fixture_reopen(f, false);
  for (unsigned no_history = 0; no_history < 2; no_history++) {
    g_autoptr(PxSummary) summary = import(f, "all_in_parts", with_n, no_history);
    check_with_n(f, summary, 0);
    g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  }
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_chunk"), ==, 4);
}

static void rollback_by_a_trigger_in_a_dry_run(Fixture *f, gconstpointer data) {
  fixture_exec(f, ends_transaction);
  for (unsigned no_history = 0; no_history < 2; no_history++) {
    fixture_reopen(f, true);
    g_autoptr(PxSummary) summary = import(f, "partner", with_n, no_history);
    check_with_n(f, summary, 4);
    fixture_reopen(f, true);
    g_autoptr(PxSummary) whole = import(f, "all_in_parts", with_n, no_history);
    check_with_n(f, whole, 0);
    fixture_reopen(f, false);
    g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
    g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_file"), ==, 0);
  }
}

/* A row that the database refuses in a later chunk takes nothing of the chunks before along. */
static void dry_run_counts_what_the_import_does(Fixture *f, gconstpointer data) {
  static const char text[] = "email#key,name\nb@x.test,B\nc@x.test,C\nd@x.test,D\ne@x.test,forbidden\nf@x.test,F\n";
  fixture_exec(f, "CREATE TRIGGER no_forbidden BEFORE INSERT ON partner WHEN new.name = 'forbidden' BEGIN SELECT RAISE(ABORT, 'no'); END;");
  fixture_reopen(f, true);
  g_autoptr(PxSummary) dry = import(f, "partner", text, false);
  fixture_reopen(f, false);
  g_autoptr(PxSummary) real = import(f, "partner", text, false);
  g_assert_true(memcmp(&dry->counts, &real->counts, sizeof real->counts) == 0);
  g_assert_cmpuint(real->counts.created, ==, 4);
  g_assert_cmpuint(real->counts.failed, ==, 1);
}

/* An import that was killed behind its first chunk: the pattern file, the chunk and a job without an owner. */
static PxJob *killed_import(Fixture *f, const PxWorker *worker) {
  g_autoptr(PxSummary) first = import(f, "partner", "email#key,name\nb@x.test,B\nc@x.test,C\nd@x.test,D\ne@x.test,E\nf@x.test,F\n", false);
  fixture_exec(f, "DELETE FROM partner WHERE name IN ('B', 'C', 'D', 'E', 'F');"
                  "DELETE FROM pattimpex_chunk WHERE first_row > 2;"
                  "UPDATE pattimpex_file SET state = 'started', n_rows = 2, n_created = 2, ended = 0;"
                  "UPDATE pattimpex_attachment SET state = 'pending';");
  return fixture_job(f, worker, "import", NULL, first->attachment_id, first->file_id);
}

static void goes_on_behind_the_last_chunk(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  g_autoptr(PxJob) job = killed_import(f, worker);
  g_auto(PxWork) work = {.project = f->project, .job = job};
  PxState state;
  g_assert_true(px_run_job(&work, true, &state, &error, &error));
  g_assert_no_error(error);
  g_assert_cmpint(state, ==, PX_STATE_DONE);
  g_assert_cmpuint(work.summary->counts.created, ==, 5);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name IN ('B', 'C')"), ==, 0); /* not loaded twice */
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name IN ('D', 'E', 'F')"), ==, 3);
}

static void worker_thought_dead_leaves_no_trace(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  g_autoptr(PxJob) job = killed_import(f, worker);
  fixture_exec(f, "UPDATE pattimpex_job SET attempt = attempt + 1");
  g_auto(PxWork) work = {.project = f->project, .job = job};
  PxState state;
  g_assert_true(px_run_job(&work, true, &state, &error, &error));
  g_assert_no_error(error);
  g_assert_cmpint(state, ==, PX_STATE_STARTED);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_chunk"), ==, 1);
}

static void retry_of_failed_rows_leaves_the_others(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxSummary) first = import(f, "partner", mixed, false);
  fixture_exec(f, "INSERT INTO country (code) VALUES ('XX'); UPDATE partner SET name = 'Changed' WHERE email = 'b@x.test'");
  g_autoptr(PxSummary) again = px_retry_file(f->project, first->file_id, true, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(again->counts.rows, ==, 2);
  g_assert_cmpuint(again->counts.created, ==, 1);
  g_assert_cmpuint(again->counts.failed, ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'Changed'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT previous_id FROM pattimpex_file WHERE failed_only = 1"), ==, first->file_id);
}

static void dry_run_forgets_everything(Fixture *f, gconstpointer data) {
  fixture_reopen(f, true);
  g_autoptr(PxSummary) summary = import(f, "partner", mixed, false);
  g_assert_cmpuint(summary->counts.created, ==, 1);
  g_assert_cmpuint(messages_of(f, summary), ==, 2);
  fixture_reopen(f, false);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 0);
}

void add_import_tests(void) {
#define ADD(function) g_test_add("/flow/import/" #function, Fixture, NULL, fixture_set_up, function, fixture_tear_down)
  ADD(good_rows_are_imported_and_bad_ones_told);
  ADD(without_history_no_row_of_ours_is_left);
  ADD(abort_changes_nothing_and_keeps_the_messages);
  ADD(broken_syntax_behind_good_rows_changes_nothing);
  ADD(broken_end_of_a_large_file_changes_nothing);
  ADD(refused_files);
  ADD(header_alone_is_done);
  ADD(stops_at_max_errors);
  ADD(goes_on_behind_the_last_chunk);
  ADD(worker_thought_dead_leaves_no_trace);
  ADD(retry_of_failed_rows_leaves_the_others);
  ADD(dry_run_forgets_everything);
  ADD(abort_says_that_it_stopped_at_max_errors);
  ADD(chunks_are_bounded_by_bytes);
  ADD(header_larger_than_a_chunk_is_read);
  ADD(messages_name_the_columns_of_the_file);
  ADD(rollback_by_a_trigger_loses_no_row);
  ADD(rollback_by_a_trigger_in_an_abort_import);
  ADD(rollback_by_a_trigger_in_a_dry_run);
  ADD(dry_run_counts_what_the_import_does);
#undef ADD
}
