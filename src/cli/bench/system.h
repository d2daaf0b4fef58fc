/* What the benchmark asks of Linux. One file of two defines it: linux.c, or portable.c, where all of it but
 * the waiting says -ENOSYS. */
#ifndef CLI_BENCH_SYSTEM_H
#define CLI_BENCH_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The size that the pipe has afterwards, or a negative errno. */
int system_pipe_size(int fd, size_t want);

/* Pages of ours become pages of the pipe; they must not change until they have been read. -1 and errno, as write. */
ssize_t system_give(int pipe, const void *bytes, size_t n, bool wait);

/* From a pipe to /dev/null, or wherever `to` leads. As read. */
ssize_t system_pass(int pipe, int to, size_t n, bool wait);

/* Asks for huge pages behind this memory, or for none. A negative errno: they are not to be had. */
int system_huge(void *bytes, size_t n, bool wanted);

/* The calling thread stays on this processor. */
int system_pin(int cpu);

/* A descriptor that counts, 8 bytes a write. */
int system_eventfd(void);

/* Sleeps while *word is `value`; may come back early. Threads of one process. */
void system_wait(_Atomic uint32_t *word, uint32_t value);
void system_wake(_Atomic uint32_t *word);

/* Does that really sleep? */
extern const bool system_sleeps;

#endif
