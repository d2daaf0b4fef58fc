/* What leat_store_sweep takes, in every build. */
#ifndef STORE_SWEEP_H
#define STORE_SWEEP_H

#include "base/error.h"
#include <leat/store.h>

/* Takes what the caller wants, of which `endpoint` is a part, and looks at the size of `result` (NULL: there is none).
 * -EINVAL and the like, with a sentence. */
int sweep_options(struct leat_store_sweep_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_store_sweep_options *options, const struct leat_store_sweep_result *result,
                  struct leat_error *error);

#endif
