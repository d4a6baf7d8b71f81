/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/name_private.h"
#include "storage/s3_private.h"

#include <string.h>

#define DEFAULT_REGION "us-east-1"
#define MIB (UINT64_C(1024) * 1024)
#define SMALLEST_PART (5 * MIB) /* but the last: S3 API reference, CompleteMultipartUpload */
#define PART_SIZE (16 * MIB)
#define PARTS_AT_ONCE 4
#define MOST_AT_ONCE 16
#define COPY_LIMIT (5 * 1024 * MIB) /* of one CopyObject, and of one part */

static const char *const addressings[] = {[PX_S3_ADDRESS_AUTO] = "auto", [PX_S3_ADDRESS_PATH] = "path", [PX_S3_ADDRESS_HOST] = "host", NULL};
static const char *const sources[] = {[PX_S3_FROM_ANY] = "any",     [PX_S3_FROM_ENVIRONMENT] = "environment",
                                      [PX_S3_FROM_FILE] = "file",   [PX_S3_FROM_ROLE] = "role",
                                      [PX_S3_FROM_NOBODY] = "none", NULL};

#define AT(member) offsetof(PxS3Settings, member)

const PxKey px_s3_keys[26] = {
  {.name = "bucket", .type = PX_KEY_STRING, .offset = AT(bucket), .required = true},
  {.name = "directory", .type = PX_KEY_STRING, .offset = AT(directory)},
  {.name = "endpoint", .type = PX_KEY_STRING, .offset = AT(endpoint)},
  {.name = "region", .type = PX_KEY_STRING, .offset = AT(region)},
  {.name = "addressing", .type = PX_KEY_CHOICE, .offset = AT(addressing), .choices = addressings},
  {.name = "access_key", .type = PX_KEY_STRING, .offset = AT(keys.access_key)},
  {.name = "secret_key", .type = PX_KEY_STRING, .offset = AT(keys.secret_key)},
  {.name = "session_token", .type = PX_KEY_STRING, .offset = AT(keys.token)},
  {.name = "credentials", .type = PX_KEY_CHOICE, .offset = AT(source), .choices = sources},
  {.name = "profile", .type = PX_KEY_STRING, .offset = AT(profile)},
  {.name = "credentials_file", .type = PX_KEY_STRING, .offset = AT(credentials_file)},
  {.name = "acl", .type = PX_KEY_STRING, .offset = AT(acl)},
  {.name = "cache_control", .type = PX_KEY_STRING, .offset = AT(cache_control)},
  {.name = "content_type", .type = PX_KEY_STRING, .offset = AT(content_type)},
  {.name = "server_side_encryption", .type = PX_KEY_STRING, .offset = AT(server_side_encryption)},
  {.name = "kms_key", .type = PX_KEY_STRING, .offset = AT(kms_key)},
  {.name = "storage_class", .type = PX_KEY_STRING, .offset = AT(storage_class)},
  {.name = "part_size", .type = PX_KEY_SIZE, .offset = AT(part_size)},
  {.name = "parts_at_once", .type = PX_KEY_UNSIGNED, .offset = AT(parts_at_once), .min = 1, .max = MOST_AT_ONCE},
  {.name = "copy_limit", .type = PX_KEY_SIZE, .offset = AT(copy_limit)},
  {.name = "create_bucket", .type = PX_KEY_BOOLEAN, .offset = AT(create_bucket)},
  PX_EXCHANGE_KEYS(PxS3Settings, exchange),
};

void px_s3_defaults(void *data) {
  PxS3Settings *settings = data;
  px_exchange_defaults(&settings->exchange);
  settings->part_size = PART_SIZE;
  settings->parts_at_once = PARTS_AT_ONCE;
  settings->copy_limit = COPY_LIMIT;
}

static void check_bucket(const PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  const char *bucket = settings->bucket;
  const PxConfigNode *at = px_node_get(node, "bucket");
  if (!bucket)
    return;
  for (const char *p = bucket; *p; p++) {
    if (!g_ascii_isalnum(*p) && !strchr(".-_", *p)) {
      px_complain(complaints, at, "bucket: the name of a bucket alone, of letters, digits, \".\" and \"-\"; what is below it is \"directory\"");
      return;
    }
  }
  if (strlen(bucket) < 3 || strlen(bucket) > 63 || *bucket == '.' || strstr(bucket, ".."))
    px_complain(complaints, at, "bucket: the name of a bucket has 3 to 63 characters, and no empty part between its dots");
}

static void cut_suffix(char *text, const char *suffix) {
  if (g_str_has_suffix(text, suffix))
    text[strlen(text) - strlen(suffix)] = 0;
}

/* "https://host[:port]", as libcurl says it in the header Host, which is signed: small, and without the port that goes without saying. What is
 * behind is no part of any signature that servers agree on. */
static void check_endpoint(PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  const PxConfigNode *at = px_node_get(node, "endpoint");
  char *endpoint = g_ascii_strdown(settings->endpoint, -1);
  g_free(settings->endpoint);
  settings->endpoint = endpoint;
  while (g_str_has_suffix(endpoint, "/"))
    cut_suffix(endpoint, "/");
  bool is_plain = g_str_has_prefix(endpoint, "http://");
  cut_suffix(endpoint, is_plain ? ":80" : ":443");
  if (!is_plain && !g_str_has_prefix(endpoint, "https://")) {
    px_complain(complaints, at, "endpoint: must begin with https:// (or http:// in a network that is trusted)");
    return;
  }
  const char *host = strstr(endpoint, "://") + 3;
  if (!*host || strpbrk(host, "@/?# "))
    px_complain(complaints, at, "endpoint: https://HOST or https://HOST:PORT alone; bucket, directory and keys have keys of their own");
}

static void check_directory(PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  char *clean = NULL;
  const char *problem = px_name_clean_path(settings->directory + strspn(settings->directory, "/"), &clean);
  if (problem) {
    px_complain(complaints, px_node_get(node, "directory"), "directory: %s", problem);
    return;
  }
  g_free(settings->directory);
  settings->directory = clean;
}

static void check_keys(const PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  const PxS3Keys *keys = &settings->keys;
  if (!keys->access_key != !keys->secret_key)
    px_complain(complaints, node, "access_key and secret_key belong together: write both, or neither and say \"credentials\"");
  if (keys->token && !keys->access_key)
    px_complain(complaints, px_node_get(node, "session_token"), "session_token: belongs to an access_key and a secret_key");
  if (keys->access_key && (settings->source != PX_S3_FROM_ANY || settings->profile))
    px_complain(complaints, px_node_get(node, "access_key"), "access_key: \"credentials\" or \"profile\" says another place; remove one of the two");
}

static void check_sizes(const PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  if (settings->part_size < SMALLEST_PART || settings->part_size > COPY_LIMIT)
    px_complain(complaints, px_node_get(node, "part_size"), "part_size: from 5MiB to 5GiB");
  if (settings->copy_limit < SMALLEST_PART || settings->copy_limit > COPY_LIMIT)
    px_complain(complaints, px_node_get(node, "copy_limit"), "copy_limit: from 5MiB to 5GiB");
}

/* A header has one line. */
static void check_headers(const PxS3Settings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  const struct {
    const char *name, *value;
  } headers[] = {
    {"acl", settings->acl},
    {"cache_control", settings->cache_control},
    {"content_type", settings->content_type},
    {"server_side_encryption", settings->server_side_encryption},
    {"kms_key", settings->kms_key},
    {"storage_class", settings->storage_class},
    {"access_key", settings->keys.access_key},
    {"session_token", settings->keys.token},
    {"region", settings->region},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
    for (const char *p = headers[i].value; p && *p; p++) {
      if (g_ascii_iscntrl(*p)) {
        px_complain(complaints, px_node_get(node, headers[i].name), "%s: has a line break or another control character", headers[i].name);
        break;
      }
    }
  }
  if (settings->kms_key && (!settings->server_side_encryption || !g_str_has_prefix(settings->server_side_encryption, "aws:kms")))
    px_complain(complaints, px_node_get(node, "kms_key"), "kms_key: belongs to server_side_encryption: aws:kms");
}

static const char *environment(const char *name) {
  const char *value = g_getenv(name);
  return value && *value ? value : NULL;
}

static char *default_region(const PxS3Settings *settings) {
  const char *name = environment("AWS_REGION");
  if (!name)
    name = environment("AWS_DEFAULT_REGION");
  if (name)
    return g_strdup(name);
  char *shared = settings->endpoint || settings->keys.access_key ? NULL : px_s3_shared_setting(settings->profile, "region");
  return shared ? shared : g_strdup(DEFAULT_REGION);
}

/* By the name of the host where that is AWS's and its certificate has such names; a dot in a bucket's name has none. */
static int addressing_of(const PxS3Settings *settings) {
  bool is_aws = g_str_has_suffix(settings->endpoint, ".amazonaws.com") || g_str_has_suffix(settings->endpoint, ".amazonaws.com.cn");
  return is_aws && settings->bucket && !strpbrk(settings->bucket, "._") ? PX_S3_ADDRESS_HOST : PX_S3_ADDRESS_PATH;
}

void px_s3_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints) {
  PxS3Settings *settings = data;
  px_exchange_check_settings(&settings->exchange, config, node, complaints);
  if (settings->credentials_file) {
    char *path = px_config_resolve_path(config, settings->credentials_file);
    g_free(settings->credentials_file);
    settings->credentials_file = path;
  }
  if (!settings->region)
    settings->region = default_region(settings);
  if (!settings->endpoint)
    settings->endpoint = g_strdup_printf("https://s3.%s.amazonaws.com%s", settings->region, g_str_has_prefix(settings->region, "cn-") ? ".cn" : "");
  if (!settings->directory)
    settings->directory = g_strdup("");
  check_bucket(settings, node, complaints);
  check_endpoint(settings, node, complaints);
  check_directory(settings, node, complaints);
  check_keys(settings, node, complaints);
  check_sizes(settings, node, complaints);
  check_headers(settings, node, complaints);
  if (settings->addressing == PX_S3_ADDRESS_AUTO)
    settings->addressing = addressing_of(settings);
}

char *px_s3_place(const void *data) {
  const PxS3Settings *settings = data;
  const char *host = settings->endpoint ? strstr(settings->endpoint, "://") : NULL;
  bool is_aws = !host || strstr(host, ".amazonaws.com");
  return g_strdup_printf("s3://%s%s%s%s%s", settings->bucket ? settings->bucket : "", *settings->directory ? "/" : "", settings->directory,
                         is_aws ? "" : " at ", is_aws ? "" : settings->endpoint);
}

void px_s3_free_settings(void *data) {
  PxS3Settings *settings = data;
  px_exchange_clear_settings(&settings->exchange);
  px_s3_keys_clear(&settings->keys);
  g_free(settings->endpoint);
  g_free(settings->region);
  g_free(settings->bucket);
  g_free(settings->directory);
  g_free(settings->profile);
  g_free(settings->credentials_file);
  g_free(settings->acl);
  g_free(settings->cache_control);
  g_free(settings->content_type);
  g_free(settings->server_side_encryption);
  g_free(settings->kms_key);
  g_free(settings->storage_class);
}
