/* SPDX-License-Identifier: MIT */
/* For tests that run twice: once on the queue, once on the kernel's pipe. */
#ifndef TESTS_PIPE_BACKENDS_H
#define TESTS_PIPE_BACKENDS_H

#include "unit/pipe/pipes.h"

static int backend; /* of the running group */

static inline int on_queue(void **state UNUSED)
{
    backend = LEAT_PIPE_QUEUE;
    return 0;
}

static inline int on_kernel(void **state UNUSED)
{
    backend = LEAT_PIPE_KERNEL;
    return 0;
}

#endif
