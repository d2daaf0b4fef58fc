/* A FIFO opened for writing without blocking. */
#ifndef ENDPOINT_FIFO_H
#define ENDPOINT_FIFO_H

#include "base/wait.h"

/* A FIFO for writing can only be opened once a reader is there, and nothing tells when: so a thread of its own waits
 * in open(2). -EAGAIN: not yet, *port becomes ready when to call again. Cancel releases it and returns NULL. */
struct fifo_opener;
int fifo_open(struct fifo_opener **opener, const char *path, struct port *port);
struct fifo_opener *fifo_cancel(struct fifo_opener *opener);

#endif
