/* The options of endpoints, as the text form of a pipeline writes them behind a spec: those of the command leat copy
 * that speak of endpoints, without their dashes. */
#ifndef REGISTRY_SETTINGS_H
#define REGISTRY_SETTINGS_H

#include "base/error.h"
#include <leat/pipeline.h>

#define SETTINGS_HEADERS_MAX 64

struct settings {
    struct leat_endpoint_options endpoint;
    struct leat_sink_options sink;
    int refuses;         /* no-clobber was said of this sink, so to be written in place does not take it back */
    const char *written; /* the word that said how files are written; NULL: none did */
    const char *header[SETTINGS_HEADERS_MAX + 1]; /* what endpoint.headers points to once there is one of its own */
};

/* One word, which lives until the endpoint is open: NAME or NAME=VALUE. -EINVAL with a sentence in *error, and in
 * *ret_where the place of it in `word`. */
int settings_take(struct settings *settings, enum leat_direction direction, const char *word, const char **ret_where,
                  struct leat_error *error);

#endif
