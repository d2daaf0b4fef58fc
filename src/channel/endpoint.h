/* SPDX-License-Identifier: MIT */
/* The endpoint channel:FD, as a source or a sink. */
#ifndef CHANNEL_ENDPOINT_H
#define CHANNEL_ENDPOINT_H

#include "node/node.h"

/* Makes the endpoint. `rest` is the text behind the scheme: the first descriptor of an exported set, whose others have
 * the numbers that follow; or all of them, separated by commas. They are borrowed. Returns 0, or a negative errno with
 * `error` set. */
int channel_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                     struct leat_error *error);

#endif
