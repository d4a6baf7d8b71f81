/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the claim asks of channels. */
#include "queue/channels.h"

typedef struct {
  char *name;
  uint64_t capacity; /* 0: not limited */
  bool sequential;
  int64_t throttle; /* microseconds between two starts; 0: none */
} PxChannel;

/* NULL: none is named. */
size_t px_channels_count(const PxChannels *channels);
const PxChannel *px_channels_at(const PxChannels *channels, size_t i);
/* Whether jobs of the channel called name count to it. */
bool px_channel_holds(const PxChannel *channel, const char *name);
