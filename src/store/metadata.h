/* SPDX-License-Identifier: MIT */
/* What is stored with an object of the file that it is a copy of: the metadata "mtime", "mode", "uid" and "gid", as
 * rclone names and writes them. */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "base/base.h"
#include "node/endpoint.h"
#include <stdbool.h>
#include <sys/stat.h>

enum {
    METADATA_MTIME,
    METADATA_MODE,
    METADATA_UID,
    METADATA_GID,
    METADATA_COUNT,
};

struct metadata {
    char value[METADATA_COUNT][40]; /* as the store has it; "": it has none, or one that is too long */
};

extern const char *const metadata_names[METADATA_COUNT]; /* "mtime" */

/* Describes a file. `owner`: also its owner and group. */
void metadata_of_stat(struct metadata *ret, const struct stat *st, bool owner);
/* Changes what the metadata says: st_mtim; st_mode, with the type of a folder if it says so, otherwise of a regular
 * file; st_uid and st_gid. A value that can't be read changes nothing. */
void metadata_to_stat(const struct metadata *metadata, struct stat *st);

/* Copies the metadata of an object whose source a pipeline has read. */
void store_source_metadata(const leat_endpoint *source, struct metadata *ret);

#endif
