/* Threads of the library's own. They take no signals: those of the program stay the program's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What the system says when it can start no more threads or processes is EAGAIN, which also means "would block". This
 * is what we say instead. */
#define NO_MORE_THREADS ENOMEM

/* 0, or what pthread_create says as a negative errno, but -NO_MORE_THREADS for -EAGAIN. */
int thread_create(pthread_t *ret, void *(*run)(void *user), void *user);

/* A condition whose deadlines are times of clock_ns. 0, or what pthread_cond_init says as a negative errno. */
int thread_cond_init(pthread_cond_t *cond);
/* Waits until the condition is signalled, or until the deadline (INT64_MAX: none): then false. */
bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);

#endif
