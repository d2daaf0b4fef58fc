/* SPDX-License-Identifier: MIT */
/* Replaces codec_zstd.c if leat is built without libzstd. It knows the names, and says that the library is missing. */
#include "base/library.h"
#include "filter/codec.h"

const struct codec codec_zstd = {.name = "zstd", .without = "this leat was built without libzstd"};
const struct codec codec_unzstd = {.name = "unzstd", .without = "this leat was built without libzstd"};
const struct library library_zstd = {"libzstd", "zstd and unzstd", NULL, false};
