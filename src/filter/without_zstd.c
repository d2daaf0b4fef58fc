/* In the place of codec_zstd.c where leat is built without libzstd: knows the names, and says so. */
#include "base/library.h"
#include "filter/codec.h"

const struct codec codec_zstd = {.name = "zstd", .without = "this leat was built without libzstd"};
const struct codec codec_unzstd = {.name = "unzstd", .without = "this leat was built without libzstd"};
const struct library library_zstd = {"libzstd", "zstd and unzstd", NULL};
