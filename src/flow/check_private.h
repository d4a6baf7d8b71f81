/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* px_project_check() (project.h), in its parts. */
#include "flow/project.h"

/* Where an entry of a section is in the configuration: for complaints about it. */
const PxConfigNode *px_section_of(const PxConfig *config, const char *section, const char *name);

/* Warns of keys that nothing in the database keeps unique, and of searches that read whole tables because no index helps them. */
bool px_check_searches(const PxProject *project, PxComplaints *complaints, GError **error) G_GNUC_WARN_UNUSED_RESULT;
