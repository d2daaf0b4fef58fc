/* Which process made an object. After fork() the child has the parent's objects, but not the threads that work for
 * them, and locks stay as they were at that moment; so what is another process's is not locked, joined, waited for or
 * ended: its descriptors are closed, and what can't be freed safely is left. */
#ifndef BASE_ORIGIN_H
#define BASE_ORIGIN_H

#include <stdbool.h>

/* For an object that is being made. Never 0. */
unsigned origin_here(void);

/* Was it made by this process? */
bool origin_is_here(unsigned origin);

#endif
