/* SPDX-License-Identifier: MIT */
/* The entries of an archive, in its order, by libarchive. */
#ifndef TREE_UNPACK_READER_H
#define TREE_UNPACK_READER_H

#include "archive/library.h"
#include "tree/archive/unpack_input.h"
#include <locale.h>

struct tree_copy;

struct unpack_reader {
    struct tree_copy *tree;
    struct archive *archive;
    struct unpack_input *input;
    bool has_entry;        /* there was one, so its bytes can be skipped */
    locale_t plain, usual; /* of the calling thread: see unpack_reader_open */
};

/* Begins to read `source`, which it takes, on failure too. Until unpack_reader_close the calling thread has the locale
 * "C": in others libarchive changes names that are UTF-8 but not normalised. The struct must not move. Returns 0 or a
 * negative errno with *error filled in; then the reader is closed. */
int unpack_reader_open(struct unpack_reader *reader, struct tree_copy *tree, leat_endpoint *source,
                       struct leat_error *error);
void unpack_reader_close(struct unpack_reader *reader);

/* Goes to the next entry. Returns 1; then *ret_warning is NULL, or what libarchive can't make of the entry; 0: the
 * archive has ended as it should, with all its bytes; or a negative errno with *error filled in. */
int unpack_reader_next(struct unpack_reader *reader, struct archive_entry **ret, const char **ret_warning,
                       struct leat_error *error);
/* Gives the next bytes of the entry, which stay valid until the next call, and their place in the file: what is between
 * two pieces is a hole. Returns 1; 0: there are no more; or a negative errno with *error filled in. */
int unpack_reader_bytes(struct unpack_reader *reader, const void **ret, size_t *ret_n, int64_t *ret_at,
                        struct leat_error *error);

#endif
