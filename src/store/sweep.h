/* SPDX-License-Identifier: MIT */
/* Checks the arguments of leat_store_sweep. Present in every build. */
#ifndef STORE_SWEEP_H
#define STORE_SWEEP_H

#include "base/error.h"
#include <leat/store.h>

/* Copies the caller's options to *ret and *endpoint, which is the part for the endpoint, and checks the size of
 * `result` (may be NULL). Returns 0, or -EINVAL or another negative errno with a sentence in *error. */
int sweep_options(struct leat_store_sweep_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_store_sweep_options *options, const struct leat_store_sweep_result *result,
                  struct leat_error *error);

#endif
