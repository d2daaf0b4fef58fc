/* SPDX-License-Identifier: MIT */
/* What libarchive has written and the reader has not taken yet. */
#ifndef ARCHIVE_OUTPUT_H
#define ARCHIVE_OUTPUT_H

#include <archive.h>
#include <stdbool.h>
#include <stddef.h>

struct archive_output {
    unsigned char *bytes;
    size_t length, read, room; /* the first `read` bytes were taken */
    bool is_short;             /* there was no memory for more */
};

/* The write callback of an archive whose client data is the output: adds the bytes. */
la_ssize_t archive_output_add(struct archive *archive, void *output, const void *bytes, size_t n);
/* How many bytes were not taken yet. */
size_t archive_output_left(const struct archive_output *output);
/* Moves up to n bytes to `bytes`, and returns how many. */
size_t archive_output_take(struct archive_output *output, void *bytes, size_t n);
/* Frees the bytes. */
void archive_output_clear(struct archive_output *output);

#endif
