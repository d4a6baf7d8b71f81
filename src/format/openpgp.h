/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* OpenPGP messages (RFC 4880), by GnuPG: gpg does all of it in processes of its own, with the keys of its home directory. Nothing is ever fetched
 * from a key server, and nobody is asked for a passphrase. */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  char *home;       /* where the keys are; NULL: gpg's own (~/.gnupg, or GNUPGHOME) */
  char *passphrase; /* of the secret keys; NULL: they have none, or gpg's agent knows it */
} PxOpenPgp;

/* ".gpg": what is put behind the name of an encrypted file. */
#define PX_OPENPGP_SUFFIX ".gpg"
/* The name without .gpg, .pgp or .asc, in any case. Caller frees. */
char *px_openpgp_plain_name(const char *name);
/* Whether text is the whole fingerprint of a key: 40 hexadecimal digits, blanks between them or not. */
bool px_openpgp_is_fingerprint(const char *text);

/* Whether the key is there, of use, and (secret) its secret half too. PX_ERROR_CONFIG: what to do. */
bool px_openpgp_check(const PxOpenPgp *keys, const char *fingerprint, bool secret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Decrypts all of the file at from, and writes at most so many bytes to to. signed_by: NULL, or fingerprints, by one of which it must be signed.
 * PX_ERROR_REFUSED: it is not encrypted, not for us, damaged, too large, not signed, or by somebody else. PX_ERROR_CONFIG: the passphrase is wrong or
 * missing, gpg is. PX_ERROR_TRANSIENT: the disk is full. After an error what was written is worth nothing. */
bool px_openpgp_decrypt(const PxOpenPgp *keys, int from, int to, uint64_t most, char *const *signed_by, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Encrypts it for the keys with these fingerprints, and signs it with another unless that is NULL. PX_ERROR_CONFIG: a key is missing or of no use;
 * as above. */
bool px_openpgp_encrypt(const PxOpenPgp *keys, int from, int to, char *const *encrypt_to, const char *sign_with, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
