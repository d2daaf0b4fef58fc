/* SPDX-License-Identifier: MIT */
/* Reads the entries of a tar file, plain or compressed, one after the other. All readers of a file use its one
 * descriptor, each at its own position. So several entries are read at once, and all of them from the file that was
 * opened. If the file is not compressed, the bytes before an entry are skipped without reading. */
#ifndef IMAGE_ARCHIVE_READER_H
#define IMAGE_ARCHIVE_READER_H

#include "archive/library.h"
#include "image/archive_tar.h"

struct tar_reader {
    struct archive *archive;
    int fd;
    struct image_watch *watch;
    int64_t asked_ns; /* when the caller was last asked whether to go on */
    bool given_up;
    off_t at, size;
    unsigned char *block;
};

/* Returns 0, or a negative errno after it has closed the reader. */
int reader_open(struct tar_reader *reader, const struct tar *tar, struct leat_error *error);
void reader_close(struct tar_reader *reader);

/* Goes to the next entry. Returns 1 if there is one, 0 after the last one. */
int reader_next(struct tar_reader *reader, const char *path, struct archive_entry **ret, struct leat_error *error);

/* Reads up to n bytes of the entry. Returns their number, 0 at the end, or a negative errno. */
ssize_t reader_read(struct tar_reader *reader, const char *path, void *bytes, size_t n, struct leat_error *error);

/* Is the file compressed? Known once there was an entry. */
bool reader_is_compressed(const struct tar_reader *reader);

#endif
