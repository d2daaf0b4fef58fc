/* How far it is: a bar on a terminal, JSON lines, or one line when SIGUSR1 asks. Printed by the waiting thread, never
 * by the one that moves the bytes. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "options.h"

struct progress {
    enum progress_mode mode; /* BAR, JSON or NEVER */
    bool drawn;
    double last_seconds; /* for the rate of late */
    uint64_t last_bytes;
    double rate;
};

/* Decides: auto means a bar if stderr is a terminal and takes data nowhere. */
void progress_init(struct progress *progress, enum progress_mode mode);
/* Milliseconds until the next update, -1: none. */
int progress_interval(const struct progress *progress);
void progress_update(struct progress *progress, const leat_pipeline *pipeline);
/* One line, whatever the mode: for SIGUSR1. */
void progress_line(struct progress *progress, const leat_pipeline *pipeline);
/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
