/* SPDX-License-Identifier: Apache-2.0 */
#include "format/openpgp.h"

#include "base/file.h"
#include "format/writer_driver.h"

#include <errno.h>
#include <gpgme.h>
#include <string.h>
#include <unistd.h>

#define FINGERPRINT_DIGITS 40
#define NO_GPG "OpenPGP: gpg cannot be used (is gnupg installed?)"

char *px_openpgp_plain_name(const char *name) {
  static const char *const suffixes[] = {".gpg", ".pgp", ".asc"};
  size_t len = strlen(name);
  for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    size_t n = strlen(suffixes[i]);
    if (len > n && g_ascii_strcasecmp(name + len - n, suffixes[i]) == 0)
      return g_strndup(name, len - n);
  }
  return g_strdup(name);
}

/* As gpg shows it: capitals, no blanks. Caller frees. */
static char *plain_fingerprint(const char *text) {
  g_autoptr(GString) digits = g_string_new(NULL);
  for (const char *c = text; *c; c++)
    if (*c != ' ')
      g_string_append_c(digits, g_ascii_toupper(*c));
  return g_string_free(g_steal_pointer(&digits), FALSE);
}

bool px_openpgp_is_fingerprint(const char *text) {
  g_autofree char *digits = plain_fingerprint(text);
  return strlen(digits) == FINGERPRINT_DIGITS && strspn(digits, "0123456789ABCDEF") == FINGERPRINT_DIGITS;
}

/* ---- gpg */

typedef struct {
  const PxOpenPgp *keys;
  gpgme_ctx_t gpg;
  gpgme_data_t in, out;
  int to;
  uint64_t left;      /* bytes that may still be written */
  GError *cannot;     /* writing failed, or there was too much */
  bool no_passphrase; /* one was asked for that there is not, or that was wrong */
} Message;

static void message_clear(Message *message) {
  if (message->in)
    gpgme_data_release(message->in);
  if (message->out)
    gpgme_data_release(message->out);
  if (message->gpg)
    gpgme_release(message->gpg);
  g_clear_error(&message->cannot);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Message, message_clear)

/* Bytes that gpg gives; -1: it is to stop. */
static ssize_t take(void *data, const void *bytes, size_t size) {
  Message *message = data;
  if (message->cannot)
    return -1;
  if (size > message->left)
    g_set_error_literal(&message->cannot, PX_ERROR, PX_ERROR_REFUSED, "there is more in it than a file may have");
  else if (px_write_all(message->to, bytes, size, "the file", &message->cannot)) {
    message->left -= size;
    return (ssize_t)size;
  }
  errno = EIO;
  return -1;
}

static struct gpgme_data_cbs out_callbacks = {.write = take};

static gpgme_error_t give_passphrase(void *data, const char *uid_hint, const char *info, int previous_was_bad, int fd) {
  Message *message = data;
  const char *passphrase = message->keys->passphrase;
  message->no_passphrase = previous_was_bad || !passphrase;
  if (message->no_passphrase)
    return gpgme_error(GPG_ERR_CANCELED);
  bool given = gpgme_io_writen(fd, passphrase, strlen(passphrase)) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
  return given ? GPG_ERR_NO_ERROR : gpgme_error_from_errno(errno);
}

static bool fail(GError **error, PxError code, const char *doing, gpgme_error_t problem) {
  char text[256] = "";
  (void)gpgme_strerror_r(problem, text, sizeof(text));
  g_set_error(error, PX_ERROR, (int)code, "%s: %s", doing, text);
  return false;
}

static gpgme_error_t set_up(Message *message) {
  static gsize once;
  if (g_once_init_enter(&once)) {
    (void)gpgme_check_version(NULL);
    g_once_init_leave(&once, 1);
  }
  gpgme_error_t problem = gpgme_new(&message->gpg);
  if (!problem)
    problem = gpgme_set_protocol(message->gpg, GPGME_PROTOCOL_OpenPGP);
  if (!problem && message->keys->home)
    problem = gpgme_ctx_set_engine_info(message->gpg, GPGME_PROTOCOL_OpenPGP, NULL, message->keys->home);
  if (!problem)
    problem = gpgme_set_pinentry_mode(message->gpg, GPGME_PINENTRY_MODE_LOOPBACK);
  if (problem)
    return problem;
  gpgme_set_passphrase_cb(message->gpg, give_passphrase, message);
  gpgme_set_offline(message->gpg, 1);
  gpgme_set_armor(message->gpg, 0);
  return GPG_ERR_NO_ERROR;
}

static bool begin(Message *message, int from, GError **error) {
  if (lseek(from, 0, SEEK_SET) < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "OpenPGP: cannot rewind the file: %s", g_strerror(errno));
    return false;
  }
  gpgme_error_t problem = set_up(message);
  if (!problem)
    problem = gpgme_data_new_from_fd(&message->in, from);
  if (!problem)
    problem = gpgme_data_new_from_cbs(&message->out, &out_callbacks, message);
  return !problem || fail(error, PX_ERROR_CONFIG, NO_GPG, problem);
}

/* What is not the file's fault, in either direction. */
static bool fail_of_ours(Message *message, gpgme_error_t problem, GError **error) {
  if (message->cannot) {
    g_propagate_error(error, g_steal_pointer(&message->cannot));
    return true;
  }
  gpgme_err_code_t code = gpgme_err_code(problem);
  bool is_passphrase = message->no_passphrase || code == GPG_ERR_BAD_PASSPHRASE || code == GPG_ERR_NO_PASSPHRASE || code == GPG_ERR_NO_PIN_ENTRY;
  if (is_passphrase)
    g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG,
                        "OpenPGP: the passphrase of the secret key is missing or wrong: correct passphrase beneath openpgp");
  return is_passphrase;
}

/* ---- decrypting */

static bool fail_decrypt(Message *message, gpgme_error_t problem, GError **error) {
  if (fail_of_ours(message, problem, error))
    return false;
  switch (gpgme_err_code(problem)) {
  case GPG_ERR_NO_DATA:
    g_set_error_literal(error, PX_ERROR, PX_ERROR_REFUSED, "it is not encrypted with OpenPGP, or cut off");
    return false;
  case GPG_ERR_NO_SECKEY:
    g_set_error_literal(error, PX_ERROR, PX_ERROR_REFUSED, "it is encrypted, but for nobody whose secret key is here");
    return false;
  case GPG_ERR_INV_ENGINE:
  case GPG_ERR_ENOENT:
    return fail(error, PX_ERROR_CONFIG, NO_GPG, problem);
  default:
    return fail(error, PX_ERROR_REFUSED, "it cannot be decrypted", problem);
  }
}

/* The fingerprint of the key that a signing key belongs to; that of the signing key where it is not known. Caller frees. */
static char *primary_key(gpgme_ctx_t gpg, const char *fingerprint) {
  gpgme_key_t key = NULL;
  if (gpgme_get_key(gpg, fingerprint, &key, 0) != GPG_ERR_NO_ERROR || !key)
    return g_strdup(fingerprint);
  char *primary = g_strdup(key->fpr ? key->fpr : fingerprint);
  gpgme_key_unref(key);
  return primary;
}

static bool is_one_of(char *const *wanted, const char *fingerprint) {
  for (; *wanted; wanted++) {
    g_autofree char *digits = plain_fingerprint(*wanted);
    if (strcmp(digits, fingerprint) == 0)
      return true;
  }
  return false;
}

/* Good by gpg's word (status), and by a key that was named: whom gpg trusts is another question. */
static bool check_signature(const Message *message, char *const *signed_by, GError **error) {
  gpgme_verify_result_t result = gpgme_op_verify_result(message->gpg);
  g_autofree char *other = NULL;
  for (gpgme_signature_t signature = result ? result->signatures : NULL; signature; signature = signature->next) {
    g_autofree char *primary = primary_key(message->gpg, signature->fpr ? signature->fpr : "");
    bool is_good = gpgme_err_code(signature->status) == GPG_ERR_NO_ERROR;
    if (is_good && (is_one_of(signed_by, primary) || is_one_of(signed_by, signature->fpr)))
      return true;
    g_free(other);
    other =
      is_good ? g_strdup_printf("it is signed, but by the key %s", primary) : g_strdup("its signature is not good, or by a key that is not here");
  }
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s; signed_by wants another", other ? other : "it is not signed");
  return false;
}

bool px_openpgp_decrypt(const PxOpenPgp *keys, int from, int to, uint64_t most, char *const *signed_by, GError **error) {
  g_auto(Message) message = {.keys = keys, .to = to, .left = most};
  if (!begin(&message, from, error))
    return false;
  gpgme_error_t problem = gpgme_op_decrypt_verify(message.gpg, message.in, message.out);
  if (problem || message.cannot)
    return fail_decrypt(&message, problem, error);
  return !signed_by || !*signed_by || check_signature(&message, signed_by, error);
}

/* ---- encrypting */

static void free_key(gpointer key) {
  if (key)
    gpgme_key_unref(key);
}

static bool find_key(const Message *message, const char *fingerprint, bool secret, GPtrArray *keys, GError **error) {
  g_autofree char *digits = plain_fingerprint(fingerprint);
  gpgme_key_t key = NULL;
  gpgme_error_t problem = gpgme_get_key(message->gpg, digits, &key, secret);
  if (problem || !key) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "OpenPGP: there is no %s key %s: import it with gpg, or correct the fingerprint",
                secret ? "secret" : "public", digits);
    return false;
  }
  g_ptr_array_add(keys, key);
  const char *useless = key->revoked    ? "was revoked"
                        : key->expired  ? "has expired"
                        : key->disabled ? "is disabled"
                        : key->invalid  ? "is not valid"
                                        : NULL;
  if (useless)
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "OpenPGP: the key %s %s: take another one", digits, useless);
  return !useless;
}

bool px_openpgp_check(const PxOpenPgp *keys, const char *fingerprint, bool secret, GError **error) {
  g_auto(Message) message = {.keys = keys};
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_key);
  gpgme_error_t problem = set_up(&message);
  return problem ? fail(error, PX_ERROR_CONFIG, NO_GPG, problem) : find_key(&message, fingerprint, secret, found, error);
}

static gpgme_error_t encrypt(const Message *message, GPtrArray *keys, const GPtrArray *signers) {
  g_ptr_array_add(keys, NULL);
  gpgme_key_t *recipients = (gpgme_key_t *)keys->pdata;
  if (signers->len == 0)
    return gpgme_op_encrypt(message->gpg, recipients, GPGME_ENCRYPT_ALWAYS_TRUST, message->in, message->out);
  gpgme_error_t problem = gpgme_signers_add(message->gpg, signers->pdata[0]);
  return problem ? problem : gpgme_op_encrypt_sign(message->gpg, recipients, GPGME_ENCRYPT_ALWAYS_TRUST, message->in, message->out);
}

bool px_openpgp_encrypt(const PxOpenPgp *keys, int from, int to, char *const *encrypt_to, const char *sign_with, GError **error) {
  g_auto(Message) message = {.keys = keys, .to = to, .left = UINT64_MAX};
  g_autoptr(GPtrArray) recipients = g_ptr_array_new_with_free_func(free_key);
  g_autoptr(GPtrArray) signers = g_ptr_array_new_with_free_func(free_key);
  if (!begin(&message, from, error))
    return false;
  for (; *encrypt_to; encrypt_to++)
    if (!find_key(&message, *encrypt_to, false, recipients, error))
      return false;
  if (sign_with && !find_key(&message, sign_with, true, signers, error))
    return false;
  gpgme_error_t problem = encrypt(&message, recipients, signers);
  if (!problem && !message.cannot)
    return true;
  return fail_of_ours(&message, problem, error) ? false : fail(error, PX_ERROR_CONFIG, "OpenPGP: the file cannot be encrypted", problem);
}
