/* What the public calls have in common. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/error.h"
#include <leat/image.h>

/* Takes what the caller wants, of which `endpoint` becomes a part, and looks at the size of `result` (NULL: there is
 * none). -EINVAL and the like, with a sentence. */
int image_options(struct leat_image_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_image_options *options, const struct leat_image_result *result,
                  struct leat_error *error);
size_t image_jobs(const struct leat_image_options *options);

#endif
