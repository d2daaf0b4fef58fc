/* SPDX-License-Identifier: MIT */
/* Prints the progress of a pipeline: a bar on a terminal, plain lines, JSON lines, or one line after SIGUSR1. The
 * thread that waits for the pipeline prints; the thread that moves the bytes never does. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "options.h"

struct progress {
    enum progress_mode mode; /* BAR, LINES, JSON or NEVER */
    bool asked;              /* the user asked for a bar, so a last line is always printed */
    bool decimal;            /* print sizes in powers of 1000 */
    bool shown;              /* something has been printed */
    size_t drawn;            /* columns of the bar that is on the terminal */
    double next_line;        /* LINES: when the next line is due, in seconds */
    double last_seconds;     /* time of the last update; the current rate is computed from it */
    uint64_t last_bytes;
    double rate;
    double moved_seconds; /* when bytes last moved */
    uint64_t moved_bytes;
    const char *more;      /* NULL, or what follows the numbers in a line, as far as it fits; borrowed */
    const char *more_json; /* NULL, or members of the JSON object, each with a comma before it; borrowed */
};

/* Chooses the mode. AUTO becomes BAR if standard error is a terminal. BAR becomes LINES if the terminal can't draw a
 * bar. */
void progress_init(struct progress *progress, enum progress_mode mode, bool decimal);
/* Returns the milliseconds until the next update, or -1 if none is due. */
int progress_interval(const struct progress *progress);
void progress_update(struct progress *progress, const struct leat_progress *now);
/* Prints one line in any mode, because SIGUSR1 asked for it. */
void progress_line(struct progress *progress, const struct leat_progress *now);
/* Removes the bar and prints the last line. */
void progress_end(struct progress *progress, const struct leat_progress *now);

#endif
