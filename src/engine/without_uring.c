/* SPDX-License-Identifier: MIT */
/* Takes the place of uring.c if leat is built without liburing. Opening these engines fails and says so. */
#include "base/library.h"
#include "engine/engine.h"
#include <errno.h>
#include <stdio.h>

static int uring_open(struct loop *loop UNUSED, char why[ENGINE_WHY_MAX])
{
    snprintf(why, ENGINE_WHY_MAX, "this leat was built without liburing");
    return -ENOSYS;
}

const struct engine engine_uring = {
    .name = "uring",
    .open = uring_open,
};

const struct engine engine_uring_all = {
    .name = "uring:all",
    .open = uring_open,
};

const struct library library_uring = {"liburing", "The engines uring and uring:all", NULL, false};
