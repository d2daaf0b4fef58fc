/* The filters that the text form of a pipeline has, by name. */
#ifndef REGISTRY_FILTERS_H
#define REGISTRY_FILTERS_H

#include "base/error.h"
#include <leat/filter.h>
#include <stdbool.h>

/* Is it the name of a filter, alone or with a colon behind it? */
bool filter_known(const char *word);

/* NAME or NAME:ARGUMENT as a filter. A failure says in *error what was wrong, and in *ret_where (within `word`) where;
 * if its operation is not set, the word itself is wrong. */
int filter_open(leat_filter **ret, const char *word, const struct leat_digest_options *digests, const char **ret_where,
                struct leat_error *error);

#endif
