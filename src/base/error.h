/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Error codes. A code exists only where a caller decides on it; the message says where and what to do. */
#include <glib.h>

typedef enum {
  PX_ERROR_USAGE,       /* wrong command line: exit 2 */
  PX_ERROR_CONFIG,      /* broken configuration, schema or pattern: exit 2, stops the task */
  PX_ERROR_REFUSED,     /* this file as a whole is wrong (syntax, header, limit): exit 2, nothing was changed */
  PX_ERROR_UNREACHABLE, /* a storage or the database does not answer: exit 3 */
  PX_ERROR_TRANSIENT,   /* may work when tried again: busy, interrupted, disk full */
  PX_ERROR_OUR_DISK,    /* the same, and people are to know: what was fetched cannot be kept, mostly because there is no room */
  PX_ERROR_NOT_FOUND,   /* no such file, row or name */
  PX_ERROR_EXISTS,      /* the target is there already: nothing is moved over another file */
  PX_ERROR_CONSTRAINT,  /* the database refused a row; px_db_refusal() says which rule */
  PX_ERROR_ROLLED_BACK, /* the database ended the transaction by itself */
  PX_ERROR_STOPPED,     /* this process is to end: the job goes back into the queue as it was */
  PX_ERROR_FENCED,      /* the job belongs to another worker by now: give up without a trace */
  PX_ERROR_INTERNAL,    /* a bug, or a process of ours that died: exit 4 */
} PxError;

#define PX_ERROR px_error_quark()
GQuark px_error_quark(void);

/* The exit status of design section 8 for an error that reached main. */
int px_error_exit_status(const GError *error);
