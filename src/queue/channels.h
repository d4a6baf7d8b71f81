/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Channels: named shares of the workers, as in Odoo's queue_job: root:4,root.pattern.import:1,root.upload:2:throttle=1s
 *
 * A channel's capacity is how many workers are at jobs of it and of the channels beneath it, over all programs that work on the
 * database. A channel that is not named counts to the nearest one above it that is; without root:N all workers may work. Options:
 * sequential (one at a time, in the order of priority and number; a job that waits for its next try or has failed holds those behind
 * it), throttle=PAUSE (between two starts). */
#include "config/config.h"

typedef struct PxChannels PxChannels;

/* node: the text of channels:, or NULL: no limits. Complains with the place and the piece that is wrong; never NULL. */
PxChannels *px_channels_read(const PxConfigNode *node, PxComplaints *complaints);
void px_channels_free(PxChannels *channels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxChannels, px_channels_free)
