/* SPDX-License-Identifier: MIT */
/* Makes a ring of io_uring with the best features that the kernel offers. */
#ifndef ENGINE_URING_RING_H
#define ENGINE_URING_RING_H

#include "engine/engine.h"
#include "engine/uring_library.h"

/* Makes a ring for one loop. It is still disabled; the thread that runs the loop enables it. Returns 0 or a negative
 * errno. After an error `why` has the reason as a part of a sentence: sysctl or seccomp denies io_uring, or the kernel
 * lacks something that the engine needs. */
int ring_open(struct io_uring *ring, char why[ENGINE_WHY_MAX]);

/* Writes "CALL says CODE" into `why`, and the sysctl if that denies io_uring. Returns the code. */
int ring_refused(char why[ENGINE_WHY_MAX], const char *call, int code);

#endif
