/* SPDX-License-Identifier: MIT */
/* The file of a buffer: it has no name, and the page cache is passed by where that works. */
#ifndef FILTER_BUFFER_FILE_H
#define FILTER_BUFFER_FILE_H

#include "buffer/hold.h"

struct buffer_file {
    int fd;
    int direct[2]; /* the same file past the page cache, for reading and for writing; -1: through the cache */
    bool keeps;    /* blocks can't be freed before the end; for the thread that reads alone */
};

void buffer_file_init(struct buffer_file *file);
/* Makes the file in this folder. Returns 0 or a negative errno, never -EAGAIN. */
int buffer_file_open(struct buffer_file *file, const char *folder);
void buffer_file_close(struct buffer_file *file);

/* The user is the struct buffer_file. */
extern const struct hold_file buffer_file_calls;

#endif
