/* SPDX-License-Identifier: Apache-2.0 */
/* Included before every file by the build: functions that know no bounds cannot be called. */
#ifndef PX_POISON_H
#define PX_POISON_H
#include <stdio.h>
#include <string.h>
#pragma GCC poison sprintf vsprintf strcpy strcat gets
#endif
