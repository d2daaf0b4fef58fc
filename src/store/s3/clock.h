/* SPDX-License-Identifier: MIT */
/* The time with which requests are signed: that of this machine, or, if a store refuses it, that of the store. */
#ifndef STORE_S3_CLOCK_H
#define STORE_S3_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero before the first use. */
struct s3_clock {
    atomic_llong ahead_s;   /* how far the store's time is ahead of this machine's */
    atomic_llong corrected; /* when `ahead_s` was found, of clock_ns; 0: never */
};

/* Returns the time for signatures, in seconds since 1970. */
int64_t s3_clock_now(const struct s3_clock *clock);

/* Call it when a request was refused at the store's time `date_s` (0: unknown). `told`: the store says that the time is
 * the reason; otherwise the time counts as the reason if the two clocks differ by more than 5 minutes. True: the
 * refused request was signed with another time than the next one will be, so repeat it. That includes requests that
 * were in flight when another one was refused. Any thread. */
bool s3_clock_correct(struct s3_clock *clock, int64_t date_s, bool told);

/* Appends to a message how far this machine's clock is off, if that is known. */
void s3_clock_explain(const struct s3_clock *clock, char *to, size_t capacity);

#endif
