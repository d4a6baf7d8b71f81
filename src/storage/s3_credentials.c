/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: from the configuration, the environment, a shared file, or the role of the machine or container; in the order in which AWS's own programs
 * look ("Standardized credential providers" of the AWS SDKs and Tools reference). */
#include "storage/s3_private.h"

#include <jansson.h>
#include <string.h>

#define FRESH_S 300         /* keys that hold for less are found anew */
#define MOST_ANSWERED 65536 /* bytes */
#define IMDS "http://169.254.169.254"
#define CONTAINER_HOST "http://169.254.170.2"
#define IMDS_PATH "/latest/meta-data/iam/security-credentials/"
#define TOKEN_SECONDS "21600"

void px_s3_credentials_clear(PxS3Credentials *credentials) {
  px_s3_keys_clear(&credentials->keys);
  credentials->expires_s = 0;
}

static const char *environment(const char *name) {
  const char *value = g_getenv(name);
  return value && *value ? value : NULL;
}

static void take(PxS3Credentials *credentials, const char *access_key, const char *secret_key, const char *token) {
  px_s3_credentials_clear(credentials);
  credentials->keys = (PxS3Keys){.access_key = g_strdup(access_key), .secret_key = g_strdup(secret_key), .token = g_strdup(token)};
}

static bool from_environment(PxS3Credentials *credentials) {
  const char *access_key = environment("AWS_ACCESS_KEY_ID");
  const char *secret_key = environment("AWS_SECRET_ACCESS_KEY");
  if (!access_key || !secret_key)
    return false;
  take(credentials, access_key, secret_key, environment("AWS_SESSION_TOKEN"));
  return true;
}

void px_s3_credentials_copy(PxS3Credentials *ret, const PxS3Credentials *credentials) {
  take(ret, credentials->keys.access_key, credentials->keys.secret_key, credentials->keys.token);
  ret->expires_s = credentials->expires_s;
}

/* ---- shared files */

/* The name in "[name]" or "[profile name]", NULL for any other line. */
static char *section_of(const char *line) {
  const char *end = strchr(line, ']');
  if (*line != '[' || !end)
    return NULL;
  g_autofree char *inside = g_strstrip(g_strndup(line + 1, (size_t)(end - line - 1)));
  return g_strdup(g_strstrip(g_str_has_prefix(inside, "profile ") ? inside + strlen("profile ") : inside));
}

char *px_s3_profile_value(const char *text, const char *profile, const char *name) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  bool is_ours = false;
  for (char **line = lines; *line; line++) {
    g_autofree char *section = section_of(*line);
    if (section)
      is_ours = strcmp(section, profile) == 0;
    char *equals = strchr(*line, '=');
    if (section || !is_ours || !equals || **line == '#' || **line == ';' || g_ascii_isspace(**line))
      continue;
    *equals = 0;
    if (strcmp(g_strstrip(*line), name) == 0)
      return g_strdup(g_strstrip(equals + 1));
  }
  return NULL;
}

static const char *profile_name(const char *profile) {
  const char *name = profile ? profile : environment("AWS_PROFILE");
  return name ? name : "default";
}

static char *shared_path(const char *variable, const char *name) {
  return environment(variable) ? g_strdup(environment(variable)) : g_build_filename(g_get_home_dir(), ".aws", name, NULL);
}

char *px_s3_shared_setting(const char *profile, const char *name) {
  g_autofree char *path = shared_path("AWS_CONFIG_FILE", "config");
  g_autofree char *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) ? px_s3_profile_value(text, profile_name(profile), name) : NULL;
}

static bool from_file(PxS3Credentials *credentials, const PxS3Settings *settings, char **ret_looked) {
  const char *profile = profile_name(settings->profile);
  g_autofree char *path =
    settings->credentials_file ? g_strdup(settings->credentials_file) : shared_path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  g_autofree char *text = NULL;
  *ret_looked = g_strdup_printf("%s has no profile \"%s\" with aws_access_key_id and aws_secret_access_key", path, profile);
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return false;
  g_autofree char *access_key = px_s3_profile_value(text, profile, "aws_access_key_id");
  g_autofree char *secret_key = px_s3_profile_value(text, profile, "aws_secret_access_key");
  g_autofree char *token = px_s3_profile_value(text, profile, "aws_session_token");
  bool ok = access_key && secret_key;
  if (ok)
    take(credentials, access_key, secret_key, token);
  explicit_bzero(text, strlen(text));
  return ok;
}

/* ---- roles */

/* From the machine itself: never by a proxy, and soon. */
static GString *ask(const char *url, bool is_put, PxHeaders *headers, long *ret_status, GError **error) {
  const PxExchangeSettings settings = {.tls_verify = true, .connect_timeout = 2 * G_USEC_PER_SEC, .timeout = 5 * G_USEC_PER_SEC};
  PxPace pace = {0};
  g_autoptr(PxExchange) exchange = px_exchange_open(&settings, &pace, "http,https", "the role of this machine", error);
  if (!exchange)
    return NULL;
  CURL *curl = px_exchange_new(exchange, url);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (is_put) {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
  }
  g_autoptr(GString) body = g_string_new(NULL);
  if (!px_exchange_perform(exchange, body, MOST_ANSWERED, error))
    return NULL;
  *ret_status = px_exchange_status(exchange);
  return g_steal_pointer(&body);
}

static bool broken(GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the role of this machine has no credentials: its answer is none that is known");
  return false;
}

/* {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": "2026-11-23T12:00:00Z"} */
static bool take_json(PxS3Credentials *credentials, const GString *text, GError **error) {
  json_t *root = json_loadb(text->str, text->len, 0, NULL);
  const char *access_key = json_string_value(json_object_get(root, "AccessKeyId"));
  const char *secret_key = json_string_value(json_object_get(root, "SecretAccessKey"));
  const char *expiration = json_string_value(json_object_get(root, "Expiration"));
  g_autoptr(GDateTime) expires = expiration ? g_date_time_new_from_iso8601(expiration, NULL) : NULL;
  bool ok = access_key && secret_key;
  if (ok) {
    take(credentials, access_key, secret_key, json_string_value(json_object_get(root, "Token")));
    credentials->expires_s = expires ? g_date_time_to_unix(expires) : 0;
  }
  json_decref(root);
  return ok || broken(error);
}

static bool from_container(PxS3Credentials *credentials, const char *relative, const char *full, GError **error) {
  g_autoptr(PxHeaders) headers = NULL;
  g_autofree char *url = relative ? g_strconcat(CONTAINER_HOST, relative, NULL) : g_strdup(full);
  const char *token_file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  g_autofree char *token = g_strdup(environment("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  long status;
  if (token_file) {
    g_free(g_steal_pointer(&token));
    (void)g_file_get_contents(token_file, &token, NULL, NULL);
  }
  if (token)
    px_curl_add_header(&headers, "Authorization: %s", g_strstrip(token));
  g_autoptr(GString) text = ask(url, false, headers, &status, error);
  return text && (status == 200 ? take_json(credentials, text, error) : broken(error));
}

/* IMDSv2 alone: the first version gives its keys to whoever can make this machine fetch an address. */
static bool from_instance(PxS3Credentials *credentials, GError **error) {
  const char *endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  g_autofree char *base = g_strdup(endpoint ? endpoint : IMDS);
  g_autoptr(PxHeaders) seconds = NULL;
  g_autoptr(PxHeaders) headers = NULL;
  long status;
  while (g_str_has_suffix(base, "/"))
    base[strlen(base) - 1] = 0;
  g_autofree char *token_url = g_strconcat(base, "/latest/api/token", NULL);
  px_curl_add_header(&seconds, "X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_SECONDS);
  g_autoptr(GString) token = ask(token_url, true, seconds, &status, error);
  if (!token || status != 200)
    return token ? broken(error) : false;
  px_curl_add_header(&headers, "X-aws-ec2-metadata-token: %s", g_strstrip(token->str));
  g_autofree char *roles_url = g_strconcat(base, IMDS_PATH, NULL);
  g_autoptr(GString) roles = ask(roles_url, false, headers, &status, error);
  if (!roles || status != 200)
    return roles ? broken(error) : false;
  g_autofree char *role = g_strndup(roles->str, strcspn(roles->str, "\r\n"));
  g_autofree char *encoded = px_s3_encode(role, 0);
  g_autofree char *url = g_strconcat(roles_url, encoded, NULL);
  g_autoptr(GString) text = ask(url, false, headers, &status, error);
  return text && (status == 200 ? take_json(credentials, text, error) : broken(error));
}

static bool from_role(PxS3Credentials *credentials, GError **error) {
  const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const char *disabled = environment("AWS_EC2_METADATA_DISABLED");
  if (relative || full)
    return from_container(credentials, relative, full, error);
  if (!disabled || g_ascii_strcasecmp(disabled, "true") != 0)
    return from_instance(credentials, error);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the role of this machine is not asked for: AWS_EC2_METADATA_DISABLED says so");
  return false;
}

/* ---- all of them */

static bool look_around(PxS3Credentials *credentials, const PxS3Settings *settings, GError **error) {
  g_autofree char *looked = NULL;
  g_autoptr(GError) problem = NULL;
  bool any = settings->source == PX_S3_FROM_ANY;
  if ((any || settings->source == PX_S3_FROM_ENVIRONMENT) && !settings->profile && from_environment(credentials))
    return true;
  if (settings->source == PX_S3_FROM_ENVIRONMENT) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there are no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    return false;
  }
  if (settings->source != PX_S3_FROM_ROLE && from_file(credentials, settings, &looked))
    return true;
  if (settings->source != PX_S3_FROM_FILE && !settings->profile && from_role(credentials, &problem))
    return true;
  if (settings->source == PX_S3_FROM_ROLE) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there are no credentials: %s%s%s%s; write access_key and secret_key, or set the environment",
              any && !settings->profile ? "AWS_ACCESS_KEY_ID is not set; " : "", looked, problem ? "; " : "", problem ? problem->message : "");
  return false;
}

bool px_s3_credentials_find(PxS3Credentials *credentials, const PxS3Settings *settings, GError **error) {
  int64_t now = g_get_real_time() / G_USEC_PER_SEC;
  bool is_fresh = credentials->keys.access_key && (credentials->expires_s == 0 || credentials->expires_s > now + FRESH_S);
  if (is_fresh || settings->source == PX_S3_FROM_NOBODY)
    return true;
  if (settings->keys.access_key) {
    take(credentials, settings->keys.access_key, settings->keys.secret_key, settings->keys.token);
    return true;
  }
  PxS3Credentials found = {0};
  if (!look_around(&found, settings, error))
    return false;
  px_s3_credentials_clear(credentials);
  *credentials = found;
  return true;
}
