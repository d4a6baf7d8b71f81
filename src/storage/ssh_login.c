/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: by key, by agent, by password (asked for in either of the two ways that servers have). */
#include "storage/ssh_private.h"

#include <libssh/libssh.h>
#include <string.h>

#define MOST_QUESTIONS 8

typedef struct {
  ssh_session session;
  const PxSshSettings *settings;
  PxSshWait wait;
  void *data;
} Login;

static bool lost(const Login *login, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the connection was lost while logging in: %s", ssh_get_error(login->session));
  return false;
}

/* One way to log in, asked until it has an answer. */
typedef int (*Way)(const Login *login, void *with);

static bool ask(const Login *login, Way way, void *with, int *ret_answer, GError **error) {
  while ((*ret_answer = way(login, with)) == SSH_AUTH_AGAIN) {
    if (!login->wait(login->data, error))
      return false;
  }
  return *ret_answer != SSH_AUTH_ERROR || lost(login, error);
}

/* ---- keys */

/* Without this, OpenSSL would ask for the passphrase on the terminal. */
static int no_passphrase(const char *prompt, char *buffer, size_t size, int echo, int verify, void *data) {
  return -1;
}

static ssh_key read_key(const PxSshSettings *settings, GError **error) {
  ssh_key key = NULL;
  int result = settings->key_file ? ssh_pki_import_privkey_file(settings->key_file, settings->key_passphrase, no_passphrase, NULL, &key)
                                  : ssh_pki_import_privkey_base64(settings->key, settings->key_passphrase, no_passphrase, NULL, &key);
  if (result == SSH_OK)
    return key;
  const char *name = settings->key_file ? settings->key_file : "the text of \"key\"";
  if (result == SSH_EOF)
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "key_file %s is not there or may not be read", name);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s is no private key%s", name,
                settings->key_passphrase ? ", or \"key_passphrase\" is not its passphrase" : ", or it has a passphrase: write \"key_passphrase\"");
  return NULL;
}

static int by_key(const Login *login, void *with) {
  return ssh_userauth_publickey(login->session, NULL, with);
}

static int by_agent(const Login *login, void *with) {
  return ssh_userauth_agent(login->session, NULL);
}

static bool try_key(const Login *login, int *ret_answer, GError **error) {
  ssh_key key = read_key(login->settings, error);
  bool ok = key && ask(login, by_key, key, ret_answer, error);
  ssh_key_free(key);
  return ok;
}

/* ---- passwords */

static int by_none(const Login *login, void *with) {
  return ssh_userauth_none(login->session, NULL);
}

static int by_password(const Login *login, void *with) {
  return ssh_userauth_password(login->session, NULL, login->settings->password);
}

static int by_questions(const Login *login, void *with) {
  return ssh_userauth_kbdint(login->session, NULL, NULL);
}

/* Only a question whose answer is not shown is one for the password. */
static bool answer_questions(const Login *login, GError **error) {
  int n = ssh_userauth_kbdint_getnprompts(login->session);
  for (int i = 0; i < n; i++) {
    char echo = 1;
    (void)ssh_userauth_kbdint_getprompt(login->session, (unsigned)i, &echo);
    if (ssh_userauth_kbdint_setanswer(login->session, (unsigned)i, echo ? "" : login->settings->password) < 0)
      return lost(login, error);
  }
  return true;
}

static bool try_questions(const Login *login, int *ret_answer, GError **error) {
  for (unsigned round = 0; round < MOST_QUESTIONS; round++) {
    if (!ask(login, by_questions, NULL, ret_answer, error))
      return false;
    if (*ret_answer != SSH_AUTH_INFO)
      return true;
    if (!answer_questions(login, error))
      return false;
  }
  *ret_answer = SSH_AUTH_DENIED;
  return true;
}

/* ---- all of them */

static char *methods_text(int methods) {
  static const struct {
    unsigned method;
    const char *name;
  } known[] = {{SSH_AUTH_METHOD_PUBLICKEY, "a key"},
               {SSH_AUTH_METHOD_PASSWORD, "a password"},
               {SSH_AUTH_METHOD_INTERACTIVE, "a password (keyboard-interactive)"},
               {SSH_AUTH_METHOD_HOSTBASED, "the host"},
               {SSH_AUTH_METHOD_GSSAPI_MIC, "Kerberos"}};
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    if ((unsigned)methods & known[i].method)
      g_string_append_printf(text, "%s%s", text->len ? ", " : "", known[i].name);
  }
  return g_string_free(text, FALSE);
}

static bool refused(const Login *login, GError **error) {
  const PxSshSettings *settings = login->settings;
  g_autofree char *offered = methods_text(ssh_userauth_list(login->session, NULL));
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
              "the server refuses the login of user %s%s%s%s; it takes: %s. Correct \"user\" and what it logs in with", settings->user,
              settings->key_file || settings->key ? ", with the key" : "", settings->agent ? ", with the keys of the agent" : "",
              settings->password ? ", with the password" : "", *offered ? offered : "nothing that it tells");
  return false;
}

/* A server may want several ways, one after the other (SSH_AUTH_PARTIAL). */
bool px_ssh_login(PxSshSession *session, const PxSshSettings *settings, PxSshWait wait, void *data, GError **error) {
  const Login login = {.session = session, .settings = settings, .wait = wait, .data = data};
  int answer;
  if (!ask(&login, by_none, NULL, &answer, error))
    return false;
  if (answer != SSH_AUTH_SUCCESS && (settings->key_file || settings->key) && !try_key(&login, &answer, error))
    return false;
  if (answer != SSH_AUTH_SUCCESS && settings->agent && !ask(&login, by_agent, NULL, &answer, error))
    return false;
  unsigned offered = (unsigned)ssh_userauth_list(session, NULL);
  if (answer != SSH_AUTH_SUCCESS && settings->password && offered & SSH_AUTH_METHOD_PASSWORD && !ask(&login, by_password, NULL, &answer, error))
    return false;
  if (answer != SSH_AUTH_SUCCESS && settings->password && offered & SSH_AUTH_METHOD_INTERACTIVE && !try_questions(&login, &answer, error))
    return false;
  return answer == SSH_AUTH_SUCCESS || refused(&login, error);
}
