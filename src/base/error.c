/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

G_DEFINE_QUARK(px_error, px_error)

int px_error_exit_status(const GError *error) {
  if (error->domain != PX_ERROR)
    return 4;
  switch ((PxError)error->code) {
  case PX_ERROR_USAGE:
  case PX_ERROR_CONFIG:
  case PX_ERROR_REFUSED:
  case PX_ERROR_NOT_FOUND:
    return 2;
  case PX_ERROR_UNREACHABLE:
  case PX_ERROR_TRANSIENT:
  case PX_ERROR_OUR_DISK:
  case PX_ERROR_STOPPED:
    return 3;
  case PX_ERROR_EXISTS:
  case PX_ERROR_CONSTRAINT:
    return 1;
  case PX_ERROR_ROLLED_BACK:
  case PX_ERROR_FENCED:
  case PX_ERROR_INTERNAL:
    return 4;
  }
  return 4;
}
