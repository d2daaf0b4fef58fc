/* SPDX-License-Identifier: MIT */
/* Finds the processes that carry a mark. Linux reads the environment of a process under locks of that process and from
 * its memory, so the process decides how long that takes. So a thread reads, and is left behind if it gets stuck. */
#ifndef CHILD_MARKED_H
#define CHILD_MARKED_H

#include "base/platform.h"

/* Asks `has` about process[from] to process[n - 1]. Sets ret_has[i] of those that it has asked about, and leaves the
 * others. Returns how far it came: n, or the index of the process that could not be read within MARKED_PATIENCE_MS;
 * call again from the next one. `has` may still run afterwards, so it must not depend on the caller. */
#define MARKED_PATIENCE_MS 250
typedef bool marked_reader(pid_t pid, const char *mark);
size_t marked_find(const struct platform_process *process, size_t from, size_t n, const char *mark, marked_reader *has,
                   bool *ret_has);

#endif
