/* SPDX-License-Identifier: MIT */
/* The routes and engines of a build for POSIX alone. The lists end with NULL. */
#include "route/hop.h"

const struct route *const registry_routes[] = {&route_chunk, NULL};

const struct engine *const registry_engines[] = {&engine_sync, &engine_uring, &engine_uring_all, NULL};
