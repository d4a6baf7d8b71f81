/* SPDX-License-Identifier: Apache-2.0 */
/* The section openpgp of a configuration. */
#include "task/task_private.h"

void px_openpgp_read(PxOpenPgp *openpgp, const PxConfig *config, PxComplaints *complaints) {
  static const PxKey keys[] = {
    {.name = "home", .type = PX_KEY_STRING, .offset = offsetof(PxOpenPgp, home)},
    {.name = "passphrase", .type = PX_KEY_STRING, .offset = offsetof(PxOpenPgp, passphrase)},
  };
  const PxConfigNode *section = px_node_get(px_config_root(config), "openpgp");
  if (px_node_type(section) == PX_NODE_NULL)
    return;
  px_config_read(section, keys, G_N_ELEMENTS(keys), openpgp, "openpgp", complaints);
  char *home = openpgp->home ? px_config_resolve_path(config, openpgp->home) : NULL;
  g_free(openpgp->home);
  openpgp->home = home;
}

void px_openpgp_clear(PxOpenPgp *openpgp) {
  g_free(openpgp->home);
  g_free(openpgp->passphrase);
}
