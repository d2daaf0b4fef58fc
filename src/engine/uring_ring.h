/* A ring of io_uring, as good as this kernel has it. */
#ifndef ENGINE_URING_RING_H
#define ENGINE_URING_RING_H

#include "engine/engine.h"
#include <liburing.h>

/* Makes a ring, still disabled, with room for what one loop submits and completes. A negative errno, and a sentence's
 * part in `why`, if it can't be had: denied by sysctl or seccomp, or without something that the engine needs. */
int ring_open(struct io_uring *ring, char why[ENGINE_WHY_MAX]);

/* Returns the code, with "CALL says CODE" in `why`. */
int ring_refused(char why[ENGINE_WHY_MAX], const char *call, int code);

#endif
