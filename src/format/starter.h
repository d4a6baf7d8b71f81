/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Parsers that start at once. To load this program with all its libraries takes many times as long as to read a small file, so from the second parser
 * of a process on each one is a copy of a process that is loaded and waits: the starter, the program again. It has read nothing foreign and hears
 * nobody but the process whose it is; each file still has a parser of its own, which is that process's child (CLONE_PARENT of clone(2)), to be reaped
 * and killed as if that had started it. All copies have the same layout of memory: behind one that crashed, and behind some hundreds, the next
 * starter begins. For the files of format/, and for one thread of a process. */
#include <glib.h>
#include <sys/types.h>

#define PX_STARTER "starter" /* argv[2] of the one that waits; argv[1] is "parser" */

/* As px_child_spawn(), which it falls back to; argv[1] is "parser", there are two descriptors at least and four at most. */
int px_starter_spawn(const GPtrArray *argv, const int *fds, int n_fds, pid_t *ret_pid);
/* Ends the one that waits, if any; the next parser starts in the other way, the one behind it has a new starter. */
void px_starter_end(void);

/* The starter's side: each order is run by a copy. Returns when nobody is left who could give one; the exit status. */
int px_starter_main(int (*run)(int argc, char **argv));
