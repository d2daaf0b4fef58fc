/* SPDX-License-Identifier: MIT */
/* Replaces codec_zlib.c if leat is built without zlib. It knows the names, and says that the library is missing. */
#include "base/library.h"
#include "filter/codec.h"

const struct codec codec_gzip = {.name = "gzip", .without = "this leat was built without zlib"};
const struct codec codec_gunzip = {.name = "gunzip", .without = "this leat was built without zlib"};
const struct library library_zlib = {"zlib", "gzip and gunzip", NULL, false};
