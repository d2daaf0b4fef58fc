/* Threads of the library's own. They take no signals: those of the program stay the program's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <errno.h>
#include <pthread.h>

/* What the system says when it can start no more threads or processes is EAGAIN, which also means "would block". This
 * is what we say instead. */
#define NO_MORE_THREADS ENOMEM

/* 0, or what pthread_create says as a negative errno, but -NO_MORE_THREADS for -EAGAIN. */
int thread_create(pthread_t *ret, void *(*run)(void *user), void *user);

#endif
