/* SPDX-License-Identifier: MIT */
/* Functions that only Linux has. Either linux.c or portable.c defines them; in portable.c all of them but the waiting
 * return -ENOSYS. */
#ifndef CLI_BENCH_SYSTEM_H
#define CLI_BENCH_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sets the size of a pipe. Returns the size that it has afterwards, or a negative errno. */
int system_pipe_size(int fd, size_t want);

/* Moves pages of the process into a pipe without a copy. They must not change until they have been read. Returns as
 * write does, with errno. */
ssize_t system_give(int pipe, const void *bytes, size_t n, bool wait);

/* Moves bytes from a pipe to /dev/null or another descriptor without a copy. Returns as read does, with errno. */
ssize_t system_pass(int pipe, int to, size_t n, bool wait);

/* Asks for huge pages for this memory, or for none. A negative errno: there are no huge pages. */
int system_huge(void *bytes, size_t n, bool wanted);

/* Pins the calling thread to this processor. */
int system_pin(int cpu);

/* Makes a descriptor that holds a counter of 8 bytes. */
int system_eventfd(void);

/* Sleeps while *word is `value`; may return early. For threads of one process. */
void system_wait(_Atomic uint32_t *word, uint32_t value);
void system_wake(_Atomic uint32_t *word);

/* Does system_wait sleep? If not, it only yields the processor. */
extern const bool system_sleeps;

#endif
