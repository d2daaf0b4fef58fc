/* The time by which requests are signed: that of this machine, and if a store refuses it, that of the store. */
#ifndef STORE_S3_CLOCK_H
#define STORE_S3_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero at first. */
struct s3_clock {
    atomic_llong ahead_s;   /* how far the store's time is ahead of this machine's */
    atomic_llong corrected; /* when that was found, of clock_ns; 0: never */
};

/* Seconds since 1970. */
int64_t s3_clock_now(const struct s3_clock *clock);

/* A request was refused when the store's time was `date_s` (0: it is not known). True: it was signed by another time,
 * and the next one will be signed by the store's, so it is worth while to ask again. That holds for requests that were
 * on their way when another one was refused, too. `told`: the store says that the time is the reason; else it may be if
 * there are more than 5 minutes between the two. Any thread. */
bool s3_clock_correct(struct s3_clock *clock, int64_t date_s, bool told);

/* Appends how far off this machine's clock is, as far as that is known. */
void s3_clock_explain(const struct s3_clock *clock, char *to, size_t capacity);

#endif
