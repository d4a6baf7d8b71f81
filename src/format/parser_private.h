/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the two sides of the pipe agree on. The parser has the blob as descriptor 0, the pipe as descriptor 1 and, where it may need it, a file
 * of its own. */
#include <stdint.h>

#define PX_PARSER_SPILL 3 /* with the option spill: a file of the parser's own for what does not fit in memory */

#define PX_FRAME_MAGIC UINT32_C(0x46425850)
#define PX_FRAME_MAX_ERROR 4096 /* bytes of a complaint */

typedef enum {
  PX_FRAME_BATCH = 1, /* a PxRowBatch */
  PX_FRAME_END = 2,   /* nothing; the file has been read */
  PX_FRAME_ERROR = 3, /* a PxError as uint32_t and the message */
} PxFrameType;

typedef struct {
  uint32_t magic;
  uint32_t type;
  uint64_t length; /* of what follows */
} PxFrame;
