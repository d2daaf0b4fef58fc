/* The routes and engines of this build, on Linux. Lists end in NULL. The order in which routes are tried stands in the
 * route table; the first engine is the one that "auto" means. */
#include "route/hop.h"

const struct route *const registry_routes[] = {&route_clone,  &route_offload, &route_splice,
                                               &route_direct, &route_chunk,   NULL};

const struct engine *const registry_engines[] = {&engine_sync, &engine_uring, &engine_uring_all, NULL};
