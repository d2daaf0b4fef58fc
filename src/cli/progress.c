/* SPDX-License-Identifier: MIT */
#include "progress.h"
#include "progress_text.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_MS  200
#define LINE_SECONDS 3 /* between plain lines */
#define STALL        2 /* seconds without a byte, after which the current rate is 0 and the time left is unknown */

/* A terminal that can't move its cursor back to the start of the line gets plain lines instead of a bar. */
static bool can_draw(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && terminal[0] && strcmp(terminal, "dumb") != 0;
}

void progress_init(struct progress *progress, enum progress_mode mode, bool decimal)
{
    *progress = (struct progress){.mode = mode, .asked = mode == PROGRESS_BAR, .decimal = decimal};
    if (mode == PROGRESS_AUTO && !isatty(STDERR_FILENO))
        progress->mode = PROGRESS_NEVER;
    else if (mode == PROGRESS_AUTO || mode == PROGRESS_BAR)
        progress->mode = can_draw() ? PROGRESS_BAR : PROGRESS_LINES;
    progress->next_line = LINE_SECONDS;
}

int progress_interval(const struct progress *progress)
{
    return progress->mode == PROGRESS_NEVER ? -1 : INTERVAL_MS;
}

/* ---- numbers ---- */

/* Computes the current rate. It is smoothed, so that the time left follows a disk that slows down. */
static struct progress_numbers look(struct progress *progress, const struct leat_progress *now)
{
    struct progress_numbers n = {.now = *now, .decimal = progress->decimal, .eta = -1};
    double seconds = n.now.seconds - progress->last_seconds;
    if (seconds > 0.05) {
        double rate = (double)(n.now.bytes - progress->last_bytes) / seconds;
        progress->rate = progress->rate > 0 ? 0.7 * progress->rate + 0.3 * rate : rate;
        progress->last_seconds = n.now.seconds;
        progress->last_bytes = n.now.bytes;
    }
    if (n.now.bytes != progress->moved_bytes) {
        progress->moved_bytes = n.now.bytes;
        progress->moved_seconds = n.now.seconds;
    }
    if (n.now.seconds - progress->moved_seconds >= STALL)
        progress->rate = 0;
    n.rate = progress->rate;
    if (n.now.has_total && n.now.bytes >= n.now.total)
        n.eta = 0;
    else if (n.now.has_total && n.rate > 0)
        n.eta = (double)(n.now.total - n.now.bytes) / n.rate;
    return n;
}

/* ---- the terminal ---- */

/* Does another job have the terminal? A bar would be drawn over the output of that job or of the shell. */
static bool in_background(void)
{
    pid_t foreground = tcgetpgrp(STDERR_FILENO);
    return foreground > 0 && foreground != getpgrp();
}

static size_t columns(void)
{
    const char *said = getenv("COLUMNS");
    long n = cli_terminal_width(STDERR_FILENO);
    if (n == 0 && said)
        n = strtol(said, NULL, 10);
    return isatty(STDERR_FILENO) && n > 0 ? (size_t)n : 80;
}

/* Writes to standard error with SIGTTOU blocked. The process may go to the background after the check; under `stty
 * tostop` the write would then stop the process and the transfer with it. */
static void show(const char *text)
{
    sigset_t stop, old;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stop, &old);
    fputs(text, stderr);
    fflush(stderr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Overwrites the old text with blanks instead of an escape sequence, which some terminals lack. */
static void draw(struct progress *progress, const char *text)
{
    char line[2 * PROGRESS_TEXT_MAX + 4];
    size_t n = strlen(text), blanks = progress->drawn > n ? progress->drawn - n : 0;
    snprintf(line, sizeof(line), "\r%s%*s%s", text, (int)blanks, "", n ? "" : "\r");
    show(line);
    progress->drawn = n;
    progress->shown = true;
}

static void clear(struct progress *progress)
{
    if (progress->drawn)
        draw(progress, "");
}

static void print_text(const char *text)
{
    char line[PROGRESS_TEXT_MAX + 2];
    snprintf(line, sizeof(line), "%s\n", text);
    show(line);
}

static void print_json(const struct progress_numbers *n, const char *more)
{
    char line[256], total[32] = "null", eta[32] = "null", buffered[48] = "";
    if (n->now.has_total)
        snprintf(total, sizeof(total), "%llu", (unsigned long long)n->now.total);
    if (n->eta >= 0)
        snprintf(eta, sizeof(eta), "%.1f", n->eta);
    if (n->now.buffered)
        snprintf(buffered, sizeof(buffered), ",\"buffered\":%llu", (unsigned long long)n->now.buffered);
    snprintf(line, sizeof(line),
             "{\"type\":\"progress\",\"bytes\":%llu,\"total\":%s,\"rate\":%.0f,\"seconds\":%.3f,\"eta\":%s%s",
             (unsigned long long)n->now.bytes, total, n->rate, n->now.seconds, eta, buffered);
    char *all = NULL;
    size_t size = strlen(line) + (more ? strlen(more) : 0) + sizeof("}\n");
    if (more && (all = malloc(size)))
        snprintf(all, size, "%s%s}\n", line, more);
    else
        strcat(line, "}\n");
    show(all ? all : line);
    free(all);
}

/* Adds whole words of what follows the numbers, as many as fit. */
static void add_more(char text[PROGRESS_TEXT_MAX], const char *more, size_t width)
{
    size_t used = strlen(text), most = width < PROGRESS_TEXT_MAX ? width : PROGRESS_TEXT_MAX;
    for (const char *at = more; at && *at;) {
        size_t n = strcspn(at + 2, "\t") + 2; /* each begins with two blanks; a tab is between them */
        if (used + n >= most)
            return;
        memcpy(text + used, at, n);
        used += n;
        text[used] = '\0';
        at += n + (at[n] == '\t');
    }
}

/* ---- updates ---- */

void progress_update(struct progress *progress, const struct leat_progress *now)
{
    char text[PROGRESS_TEXT_MAX];
    struct progress_numbers n = look(progress, now);
    if (progress->mode == PROGRESS_JSON)
        print_json(&n, progress->more_json);
    else if (in_background())
        progress->drawn = 0; /* the bar has scrolled away, or has been overwritten */
    else if (progress->mode == PROGRESS_BAR) {
        if (progress->more)
            progress_text(text, &n, columns());
        else
            progress_text_bar(text, &n, columns());
        add_more(text, progress->more, columns());
        draw(progress, text);
    } else if (progress->mode == PROGRESS_LINES && n.now.seconds >= progress->next_line) {
        progress->next_line = n.now.seconds + LINE_SECONDS;
        progress->shown = true;
        progress_text(text, &n, columns());
        add_more(text, progress->more, columns());
        print_text(text);
    }
}

void progress_line(struct progress *progress, const struct leat_progress *now)
{
    char text[PROGRESS_TEXT_MAX];
    struct progress_numbers n = look(progress, now);
    clear(progress);
    progress_text(text, &n, columns());
    add_more(text, progress->more, columns());
    print_text(text);
}

void progress_end(struct progress *progress, const struct leat_progress *now)
{
    char text[PROGRESS_TEXT_MAX];
    struct progress_numbers n = look(progress, now);
    if (progress->mode == PROGRESS_JSON)
        print_json(&n, progress->more_json);
    if ((progress->mode != PROGRESS_BAR && progress->mode != PROGRESS_LINES) || in_background())
        return;
    clear(progress);
    if (!progress->shown && !progress->asked)
        return;
    n.rate = n.now.seconds > 0 ? (double)n.now.bytes / n.now.seconds : 0;
    progress_text_last(text, &n, columns());
    add_more(text, progress->more, columns());
    print_text(text);
}
