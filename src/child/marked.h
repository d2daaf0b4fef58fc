/* Which processes carry a mark? Linux reads their environment under locks of theirs, and from their memory, so how long
 * that takes is up to them. So a thread reads, and is left behind when it gets stuck. */
#ifndef CHILD_MARKED_H
#define CHILD_MARKED_H

#include "base/platform.h"

/* Does `has` say so of process[from], and of those behind it? Sets ret_has[i] of those, leaves the others. Gives how
 * far it came: `n`, or the index of the process that could not be read within MARKED_PATIENCE_MS; call again from the
 * next one. `has` may still run then, and must live on. */
#define MARKED_PATIENCE_MS 250
typedef bool marked_reader(pid_t pid, const char *mark);
size_t marked_find(const struct platform_process *process, size_t from, size_t n, const char *mark, marked_reader *has,
                   bool *ret_has);

#endif
