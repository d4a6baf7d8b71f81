/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parser process: foreign syntax is read in a process that has the blob and a pipe and nothing else.
 *
 * The loader's side starts it (our own program again, command "parser", by posix_spawn or as a copy of one that is loaded and waits,
 * starter.h; every other descriptor closed, rlimits, PR_SET_PDEATHSIG) and takes row batches from the pipe; each is checked before use.
 * A parser that dies is an error of the file, told with its signal. The parser ends with the thread that started it, so one thread has it
 * from start to free.
 *
 * Any program that calls px_parser_start() must hand itself over when it is started as the parser:
 *   if (argc > 1 && strcmp(argv[1], "parser") == 0) return px_parser_main(argc, argv);
 */
#include "base/row_batch.h"
#include "format/format.h"

typedef struct PxParser PxParser;

/* Starts a parser on the blob at fd (read only, seekable; stays the caller's, may be closed after the call).
 * first_row 0: from the beginning; else the header rows come first as ever (header_rows of them), then the rows from
 * (first_row, place) on, as told by an earlier batch of the same blob and options. Of a workbook the columns that the last header row does not
 * name are left out, of that row too: what stands in them costs nothing, however far to the right it is. */
PxParser *px_parser_start(int fd, const PxFormatOptions *options, unsigned header_rows, uint64_t first_row, uint64_t place, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The next batch; NULL without error at the end of the file. The first one is the header rows alone. Caller frees with g_free().
 * PX_ERROR_REFUSED: what the reader complained of, rows before the complaint have been given; or the file made the parser crash or
 * speak nonsense. PX_ERROR_TRANSIENT: it was killed from outside, or memory is out. After an error there is no more. */
PxRowBatch *px_parser_next(PxParser *parser, GError **error);
/* Nothing is to be parsed for a while: what waits to start the next parser at once ends. */
void px_parser_rest(void);
/* Ends the process (SIGKILL when it still runs) and reaps it. */
void px_parser_free(PxParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxParser, px_parser_free)

/* The parser's side: what the hidden command runs; argv[1] is "parser". Never returns before the file is read; the exit status. */
int px_parser_main(int argc, char **argv);
