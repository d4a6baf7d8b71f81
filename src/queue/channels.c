/* SPDX-License-Identifier: Apache-2.0 */
/* The text of channels:. */
#include "base/text.h"
#include "queue/channels_private.h"

struct PxChannels {
  GPtrArray *all; /* PxChannel * */
};

/* What reading needs. */
typedef struct {
  PxChannels *channels;
  const PxConfigNode *node;
  PxComplaints *complaints;
  const char *piece; /* "root.upload:2:throttle=1s" */
} Reader;

static void free_channel(gpointer data) {
  PxChannel *channel = data;
  g_free(channel->name);
  g_free(channel);
}

static void complain(const Reader *reader, const char *why) {
  px_complain(reader->complaints, reader->node, "channels: \"%s\": %s", reader->piece, why);
}

static void read_throttle(const Reader *reader, PxChannel *channel, const char *value) {
  g_autofree char *seconds = g_strconcat(value ? value : "", "s", NULL);
  if (!value || !(px_config_parse_duration(value, &channel->throttle) || px_config_parse_duration(seconds, &channel->throttle)) ||
      channel->throttle <= 0)
    complain(reader, "throttle needs the pause between two starts, such as throttle=2s");
}

static void read_option(const Reader *reader, PxChannel *channel, char *option) {
  static const char *const names[] = {"sequential", "throttle"};
  char *equals = strchr(option, '=');
  if (equals)
    *equals = '\0';
  if (strcmp(option, "sequential") == 0) {
    bool known = !equals || px_config_parse_boolean(equals + 1, &channel->sequential);
    if (!equals)
      channel->sequential = true;
    if (!known)
      complain(reader, "sequential takes no value, or true or false");
  } else if (strcmp(option, "throttle") == 0) {
    read_throttle(reader, channel, equals ? equals + 1 : NULL);
  } else {
    g_autofree char *hint = px_text_did_you_mean(option, names, G_N_ELEMENTS(names));
    g_autofree char *why = g_strdup_printf("there is no option %s%s: write sequential or throttle=2s", option, hint);
    complain(reader, why);
  }
}

static PxChannel *find(const PxChannels *channels, const char *name) {
  for (guint i = 0; i < channels->all->len; i++)
    if (strcmp(px_channels_at(channels, i)->name, name) == 0)
      return channels->all->pdata[i];
  return NULL;
}

static void read_channel(const Reader *reader) {
  g_auto(GStrv) words = g_strsplit(reader->piece, ":", -1);
  for (char **word = words; *word; word++)
    g_strstrip(*word);
  g_autofree char *name = words[0] ? px_config_parse_channel(words[0]) : NULL;
  if (!name) {
    complain(reader, "a channel is called root, or root.NAME with letters, digits, _ and -, parts with . between them");
    return;
  }
  if (find(reader->channels, name)) {
    complain(reader, "this channel is named twice");
    return;
  }
  PxChannel *channel = g_new0(PxChannel, 1);
  channel->name = g_steal_pointer(&name);
  channel->capacity = 1;
  g_ptr_array_add(reader->channels->all, channel);
  for (guint i = 1; words[i]; i++) {
    if (i == 1 && !g_ascii_isalpha(*words[i])) {
      if (!g_ascii_string_to_unsigned(words[i], 10, 1, 10000, &channel->capacity, NULL))
        complain(reader, "the capacity is a number of workers from 1 to 10000: root.upload:2");
    } else {
      read_option(reader, channel, words[i]);
    }
  }
  if (channel->sequential && channel->capacity > 1)
    complain(reader, "a sequential channel runs one job at a time: its capacity is 1");
}

/* More than the channel above it takes is never reached. */
static void warn_of_parents(const Reader *reader) {
  for (guint i = 0; i < reader->channels->all->len; i++)
    for (guint k = 0; k < reader->channels->all->len; k++) {
      const PxChannel *one = px_channels_at(reader->channels, i);
      const PxChannel *above = px_channels_at(reader->channels, k);
      if (i != k && px_channel_holds(above, one->name) && one->capacity > above->capacity)
        px_warn(reader->complaints, reader->node,
                "channels: %s:%" G_GUINT64_FORMAT " never runs more than %" G_GUINT64_FORMAT " jobs: %s, which it is in, takes no more", one->name,
                one->capacity, above->capacity, above->name);
    }
}

PxChannels *px_channels_read(const PxConfigNode *node, PxComplaints *complaints) {
  PxChannels *channels = g_new0(PxChannels, 1);
  channels->all = g_ptr_array_new_with_free_func(free_channel);
  Reader reader = {.channels = channels, .node = node, .complaints = complaints};
  const char *text = px_node_text(node);
  g_auto(GStrv) pieces = g_strsplit(text ? text : "", ",", -1);
  for (char **piece = pieces; *piece; piece++) {
    reader.piece = g_strstrip(*piece);
    if (*reader.piece)
      read_channel(&reader);
  }
  warn_of_parents(&reader);
  return channels;
}

void px_channels_free(PxChannels *channels) {
  if (!channels)
    return;
  g_ptr_array_unref(channels->all);
  g_free(channels);
}

size_t px_channels_count(const PxChannels *channels) {
  return channels ? channels->all->len : 0;
}

const PxChannel *px_channels_at(const PxChannels *channels, size_t i) {
  return channels->all->pdata[i];
}

bool px_channel_holds(const PxChannel *channel, const char *name) {
  size_t len = strlen(channel->name);
  return strncmp(channel->name, name, len) == 0 && (name[len] == '\0' || name[len] == '.');
}
