/* SPDX-License-Identifier: MIT */
/* The filters of the text form of a pipeline, by name. */
#ifndef REGISTRY_FILTERS_H
#define REGISTRY_FILTERS_H

#include "base/error.h"
#include <leat/filter.h>
#include <stdbool.h>

/* Is `word` the name of a filter, alone or followed by a colon? */
bool filter_known(const char *word);

/* Opens the filter NAME or NAME:ARGUMENT. Gives the filter. On failure *error describes the mistake, and *ret_where,
 * which is within `word`, is its place. If the operation of the error is not set, the word itself is wrong. */
int filter_open(leat_filter **ret, const char *word, const struct leat_digest_options *digests, const char **ret_where,
                struct leat_error *error);

#endif
