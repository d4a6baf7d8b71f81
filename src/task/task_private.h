/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of task/ share. */
#include "config/config.h"
#include "format/openpgp.h"

/* openpgp_config.c: openpgp is all zero before. */
void px_openpgp_read(PxOpenPgp *openpgp, const PxConfig *config, PxComplaints *complaints);
void px_openpgp_clear(PxOpenPgp *openpgp);
