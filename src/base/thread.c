/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

GThread *px_thread_start(const char *name, GThreadFunc func, void *data) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  GThread *thread = g_thread_new(name, func, data);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return thread;
}
