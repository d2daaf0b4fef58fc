/* How far it is: a bar on a terminal, plain lines, JSON lines, or one line when SIGUSR1 asks. Printed by the waiting
 * thread, never by the one that moves the bytes. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "options.h"

struct progress {
    enum progress_mode mode; /* BAR, LINES, JSON or NEVER */
    bool asked;              /* for a bar, so a last line is printed in any case */
    bool decimal;            /* powers of 1000 */
    bool shown;              /* something was */
    size_t drawn;            /* columns of the bar that is on the terminal */
    double next_line;        /* LINES: when the next one is due, in seconds */
    double last_seconds;     /* for the rate of late */
    uint64_t last_bytes;
    double rate;
    double moved_seconds; /* when bytes moved for the last time */
    uint64_t moved_bytes;
};

/* Decides: auto means a bar if stderr is a terminal; a bar means plain lines where there is none. */
void progress_init(struct progress *progress, enum progress_mode mode, bool decimal);
/* Milliseconds until the next update, -1: none. */
int progress_interval(const struct progress *progress);
void progress_update(struct progress *progress, const struct leat_progress *now);
/* One line, whatever the mode: for SIGUSR1. */
void progress_line(struct progress *progress, const struct leat_progress *now);
/* The end: takes the bar away and prints the last line. */
void progress_end(struct progress *progress, const struct leat_progress *now);

#endif
