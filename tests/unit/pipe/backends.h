/* For tests that run as two groups: one on the queue, one on the kernel's pipe. */
#ifndef TESTS_PIPE_BACKENDS_H
#define TESTS_PIPE_BACKENDS_H

#include "unit/pipe/pipes.h"

static int backend; /* of the group that runs */

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
