/* SPDX-License-Identifier: MIT */
/* The platform's functions for memory that processes share. sharing.c has the memory and its locks, sharing_events.c
 * the descriptors that event loops wait for, sharing_passed.c descriptors that come from another process. */
#ifndef KERNEL_SHARING_H
#define KERNEL_SHARING_H

#include "base/platform.h"

extern const struct platform_sharing linux_sharing;

/* base/platform.h has the contracts. */
int sharing_event(void);
bool sharing_is_event(int fd);
void sharing_event_set(int fd);
int sharing_poller(const int *events, size_t n);
void sharing_poller_clear(int poller);
int sharing_poller_tick(int poller, int interval_ms);
void sharing_poller_clear_timer(int timer);
int sharing_closings(void);
int sharing_closings_add(int closings, int fd);
void sharing_closings_remove(int closings, int number);
int sharing_closings_next(int closings, int *numbers, size_t n);
int64_t sharing_position(int fd);
int sharing_receive(int socket, int *fds, size_t *n);

#endif
