/* Threads of the library's own. They take no signals: those of the program stay the program's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* 0, or what pthread_create says as a negative errno (-EAGAIN: there can be no more). */
int thread_create(pthread_t *ret, void *(*run)(void *user), void *user);

#endif
