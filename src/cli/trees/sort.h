/* SPDX-License-Identifier: MIT */
/* Sorts any number of records in a bounded memory: an external merge sort. Records are gathered in memory. If that is
 * full, they are sorted and written to a temporary file as a run; in the end the runs are merged while they are read.
 * The file has no name, so it is gone with the program. */
#ifndef CLI_TREES_SORT_H
#define CLI_TREES_SORT_H

#include <stddef.h>

struct sorter;

/* `memory`: about as many bytes are used. Returns 0 or -ENOMEM. */
int sorter_new(struct sorter **ret, size_t memory);
/* NULL is allowed. */
void sorter_free(struct sorter *sorter);

/* Adds the record PREFIX NAME with a value; all are copied, and none has a NUL. Returns 0, or a negative errno: then
 * the record is missing, and sorter_next returns the same code. -ENOSPC and the like are those of the folder of
 * sorter_folder. */
int sorter_add(struct sorter *sorter, const char *prefix, const char *name, const char *value);

/* Gives the next record in the order of the bytes of the names; equal names in the order of the bytes of the values.
 * Both are valid until the next call. After the first call nothing can be added. Returns 1; 0: there are no more
 * records; or a negative errno. */
int sorter_next(struct sorter *sorter, const char **ret_name, const char **ret_value);

/* Returns the folder of temporary files: that of the variable TMPDIR, or /var/tmp, because /tmp is often memory. */
const char *sorter_folder(void);

#endif
