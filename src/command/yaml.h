/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Sections of the configuration written out again, to be pasted. */
#include "config/config.h"

/* Appends "key: node", or node alone, in block style, each line indented by that many blanks. Secrets become "***" with a comment. */
void px_yaml_append_pair(GString *out, const char *key, const PxConfigNode *node, unsigned indent);
void px_yaml_append(GString *out, const PxConfigNode *node, unsigned indent);
