/* SPDX-License-Identifier: MIT */
/* Filters that compress and decompress, by the name of their codec. */
#ifndef BRIDGE_CODEC_H
#define BRIDGE_CODEC_H

#include "filter/codec.h"

/* Same as leat_filter_codec, but sets the sentence of the error, and its offset to the place in `options` that is
 * wrong. `error` may be NULL. */
int filter_codec(leat_filter **ret, const char *name, const char *options, struct leat_error *error);

#endif
