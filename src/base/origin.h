/* SPDX-License-Identifier: MIT */
/* Records which process made an object. After fork() the child has copies of the parent's objects, but not the threads
 * that work for them, and the locks stay as they were at the fork. So the library never locks, joins, waits for or ends
 * an object of another process. It closes the descriptors of such an object, and leaves alone memory that can't be
 * freed safely. */
#ifndef BASE_ORIGIN_H
#define BASE_ORIGIN_H

#include <stdbool.h>

/* Returns the origin for an object that this process makes. Never 0. */
unsigned origin_here(void);

/* Did this process make the object? */
bool origin_is_here(unsigned origin);

#endif
