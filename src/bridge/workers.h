/* SPDX-License-Identifier: MIT */
/* The filter of a codec with workers, which is made of stages. */
#ifndef BRIDGE_WORKERS_H
#define BRIDGE_WORKERS_H

#include "filter/codec.h"

/* Makes the filter. The codec has `block`, and value[CODEC_WORKERS] is at least 1. Returns 0 or a negative errno. */
int workers_filter(leat_filter **ret, const struct codec *codec, const int *value);

#endif
