/* SPDX-License-Identifier: MIT */
/* The only list of codecs. To add one: a file in src/filter and a row here. */
#include "filter/codec.h"

const struct codec *const registry_codecs[] = {&codec_zstd, &codec_unzstd, &codec_gzip, &codec_gunzip, NULL};
