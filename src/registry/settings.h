/* SPDX-License-Identifier: MIT */
/* The options of endpoints, which the text form of a pipeline has behind a spec. They are the endpoint options of the
 * command leat copy, without their dashes. */
#ifndef REGISTRY_SETTINGS_H
#define REGISTRY_SETTINGS_H

#include "base/error.h"
#include <leat/pipeline.h>

#define SETTINGS_HEADERS_MAX 64

struct settings {
    struct leat_endpoint_options endpoint;
    struct leat_sink_options sink;
    int refuses;                                  /* this sink has no-clobber, so append and in-place do not clear it */
    const char *written;                          /* the word that set the write mode; NULL: none */
    const char *header[SETTINGS_HEADERS_MAX + 1]; /* for endpoint.headers, once this endpoint has its own */
};

/* Applies one option, NAME or NAME=VALUE. The word must stay valid until the endpoint is open. -EINVAL and other
 * errors: *error has the sentence, and *ret_where is the place of the mistake in `word`. */
int settings_take(struct settings *settings, enum leat_direction direction, const char *word, const char **ret_where,
                  struct leat_error *error);

#endif
