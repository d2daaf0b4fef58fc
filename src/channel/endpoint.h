/* channel:FD as a source or a sink. */
#ifndef CHANNEL_ENDPOINT_H
#define CHANNEL_ENDPOINT_H

#include "node/node.h"

/* `rest` is what stands behind the scheme: the first descriptor of an exported set, whose others follow by number; or
 * all of them with commas between. They are borrowed. */
int channel_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                     struct leat_error *error);

#endif
