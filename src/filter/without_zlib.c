/* In the place of codec_zlib.c where leat is built without zlib: knows the names, and says so. */
#include "base/library.h"
#include "filter/codec.h"

const struct codec codec_gzip = {.name = "gzip", .without = "this leat was built without zlib"};
const struct codec codec_gunzip = {.name = "gunzip", .without = "this leat was built without zlib"};
const struct library library_zlib = {"zlib", "gzip and gunzip", NULL};
