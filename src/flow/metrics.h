/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What monitoring wants to know, as numbers. Each metric is explained in docs/metrics.md. */
#include "flow/project.h"

/* The text format of Prometheus, version 0.0.4. */
#define PX_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* All metrics, each with HELP and TYPE, also those of which there is no sample yet. Reads only; not while a transaction is open. Caller frees. */
char *px_metrics_text(const PxProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
