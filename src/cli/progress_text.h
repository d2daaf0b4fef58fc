/* SPDX-License-Identifier: MIT */
/* Formats a progress line so that it fits the width of the terminal. */
#ifndef CLI_PROGRESS_TEXT_H
#define CLI_PROGRESS_TEXT_H

#include <leat/leat.h>
#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_TEXT_MAX 512

struct progress_numbers {
    struct leat_progress now;
    double rate;  /* bytes per second: the current rate; in the last line the average */
    double eta;   /* seconds left; less than 0: not known */
    bool decimal; /* print sizes in powers of 1000 */
};

/* Each writes the longest form that has fewer than `columns` columns. */
void progress_text(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns);
void progress_text_bar(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns);
void progress_text_last(char text[PROGRESS_TEXT_MAX], const struct progress_numbers *n, size_t columns);

#endif
