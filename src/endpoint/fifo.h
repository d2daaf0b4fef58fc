/* SPDX-License-Identifier: MIT */
/* Opens a FIFO for writing without blocking. */
#ifndef ENDPOINT_FIFO_H
#define ENDPOINT_FIFO_H

#include "base/wait.h"

/* A FIFO can only be opened for writing when a reader is there, and nothing tells when one comes. So a thread of its
 * own waits in open(2). fifo_open returns a descriptor, which is given; -EAGAIN: call again when *port is ready; or
 * another negative errno. fifo_cancel ends the wait and returns NULL; NULL is allowed. */
struct fifo_opener;
int fifo_open(struct fifo_opener **opener, const char *path, struct port *port);
struct fifo_opener *fifo_cancel(struct fifo_opener *opener);

#endif
