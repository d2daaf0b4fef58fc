/* SPDX-License-Identifier: MIT */
/* The routes and engines of a build for Linux. The lists end with NULL. The route table has the order in which routes
 * are tried. The first engine is the default of "auto". */
#include "route/hop.h"

const struct route *const registry_routes[] = {&route_clone,  &route_offload, &route_splice,
                                               &route_direct, &route_chunk,   NULL};

const struct engine *const registry_engines[] = {&engine_sync, &engine_uring, &engine_uring_all, NULL};
