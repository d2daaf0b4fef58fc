/* SPDX-License-Identifier: MIT */
/* Threads of the library. They block all signals, so the signals of the program go to threads of the program. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* If the system can start no more threads or processes, it says EAGAIN, which also means "would block". leat returns
 * this code instead. */
#define NO_MORE_THREADS ENOMEM

/* Starts a thread, on which the hooks of the program run (leat_thread_hooks_set). Every thread of the library is made
 * by this call. Returns 0, or the error of pthread_create as a negative errno, with -NO_MORE_THREADS instead of
 * -EAGAIN. */
int thread_create(pthread_t *ret, void *(*run)(void *user), void *user);

#define NO_DEADLINE INT64_MAX

/* Initialises a condition whose deadlines are times of clock_ns. Returns 0, or the error of pthread_cond_init as a
 * negative errno. */
int thread_cond_init(pthread_cond_t *cond);
/* Waits until the condition is signalled. Returns false if the deadline has passed first. This is how a thread sleeps
 * inside a process; a thread that polls descriptors has a waker (base/wait.h), and processes that share memory have
 * platform.sharing. */
bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);

#endif
