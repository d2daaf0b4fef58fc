/* SPDX-License-Identifier: MIT */
/* The engine on which a test runs: $LEAT_TEST_ENGINE, for tests that say "engines:" in their first lines. */
#ifndef TESTS_UNIT_ENGINE_WANTED_H
#define TESTS_UNIT_ENGINE_WANTED_H

#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>

static inline const struct engine *engine_wanted(void)
{
    return engine_by_name(getenv("LEAT_TEST_ENGINE"));
}

/* Is the engine missing here? Then the reason was printed, and the test ends with 77. */
static inline bool engine_missing(void)
{
    struct loop loop;
    char why[ENGINE_WHY_MAX];
    if (loop_open(&loop, engine_wanted(), why) < 0) {
        printf("there is no engine %s: %s\n", engine_wanted()->name, why);
        return true;
    }
    loop_close(&loop);
    return false;
}

/* Returns these options (NULL: the defaults) with the engine of the test, unless they name one. */
static inline struct leat_pipeline_options on_engine_wanted(const struct leat_pipeline_options *options)
{
    struct leat_pipeline_options own = {.size = sizeof(own)};
    if (options)
        memcpy(&own, options, MIN(options->size, sizeof(own)));
    own.size = sizeof(own);
    if (!own.engine)
        own.engine = getenv("LEAT_TEST_ENGINE");
    return own;
}

#endif
