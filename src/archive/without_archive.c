/* SPDX-License-Identifier: MIT */
/* For a build without libarchive. */
#include "base/library.h"

const struct library library_archive = {"libarchive", "Archives of images and of trees", NULL, false};
