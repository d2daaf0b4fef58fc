#include "progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERVAL_MS 200

void progress_init(struct progress *progress, enum progress_mode mode)
{
    *progress = (struct progress){.mode = mode};
    if (mode == PROGRESS_AUTO || mode == PROGRESS_BAR)
        progress->mode = isatty(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_NEVER;
}

int progress_interval(const struct progress *progress)
{
    return progress->mode == PROGRESS_NEVER ? -1 : INTERVAL_MS;
}

static const char *human(double bytes, char buffer[16])
{
    static const char letters[] = " KMGTPE";
    size_t i = 0;
    while (bytes >= 1000 && i + 2 < sizeof(letters)) {
        bytes /= 1024;
        i++;
    }
    snprintf(buffer, 16, i == 0 ? "%.0f" : bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, letters[i]);
    return buffer;
}

static const char *clock_text(double seconds, char buffer[32])
{
    unsigned long s = seconds < 0 || seconds > 1e9 ? 0 : (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(buffer, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buffer, 32, "%lu:%02lu", s / 60, s % 60);
    return buffer;
}

/* The rate of late, smoothed, so that the time left follows a disk that slows down. */
static struct leat_progress look(struct progress *progress, const leat_pipeline *pipeline, double *ret_eta)
{
    struct leat_progress now = LEAT_INIT(struct leat_progress);
    leat_pipeline_progress(pipeline, &now);
    double seconds = now.seconds - progress->last_seconds;
    if (seconds > 0.05) {
        double rate = (double)(now.bytes - progress->last_bytes) / seconds;
        progress->rate = progress->rate > 0 ? 0.7 * progress->rate + 0.3 * rate : rate;
        progress->last_seconds = now.seconds;
        progress->last_bytes = now.bytes;
    }
    *ret_eta = now.has_total && progress->rate > 0 && now.total > now.bytes
                   ? (double)(now.total - now.bytes) / progress->rate
                   : 0;
    return now;
}

static void print_numbers(FILE *to, const struct leat_progress *now, double rate, double eta)
{
    char bytes[16], total[16], speed[16], clock[32];
    if (now->has_total && now->total)
        fprintf(to, "%3.0f%%  %s of %s  %s/s  %s left", 100.0 * (double)now->bytes / (double)now->total,
                human((double)now->bytes, bytes), human((double)now->total, total), human(rate, speed),
                clock_text(eta, clock));
    else
        fprintf(to, "%s  %s/s  %s", human((double)now->bytes, bytes), human(rate, speed),
                clock_text(now->seconds, clock));
}

static void print_json(const struct leat_progress *now, double rate, double eta)
{
    char total[32] = "null";
    if (now->has_total)
        snprintf(total, sizeof(total), "%llu", (unsigned long long)now->total);
    fprintf(stderr, "{\"type\":\"progress\",\"bytes\":%llu,\"total\":%s,\"rate\":%.0f,\"seconds\":%.3f,\"eta\":",
            (unsigned long long)now->bytes, total, rate, now->seconds);
    if (now->has_total && (rate > 0 || now->bytes >= now->total))
        fprintf(stderr, "%.1f}\n", eta);
    else
        fputs("null}\n", stderr);
}

static void draw_bar(const struct leat_progress *now, double rate, double eta)
{
    struct winsize size = {0};
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    int width = columns - 48;
    fputs("\r\033[K", stderr);
    if (now->has_total && now->total && width > 4) {
        int full = (int)((double)width * (double)now->bytes / (double)now->total);
        full = full > width ? width : full;
        fputc('[', stderr);
        for (int i = 0; i < width; i++)
            fputc(i < full ? '=' : i == full ? '>' : ' ', stderr);
        fputs("] ", stderr);
    }
    print_numbers(stderr, now, rate, eta);
    fflush(stderr);
}

void progress_update(struct progress *progress, const leat_pipeline *pipeline)
{
    double eta;
    struct leat_progress now = look(progress, pipeline, &eta);
    if (progress->mode == PROGRESS_JSON)
        print_json(&now, progress->rate, eta);
    else if (progress->mode == PROGRESS_BAR) {
        draw_bar(&now, progress->rate, eta);
        progress->drawn = true;
    }
}

void progress_line(struct progress *progress, const leat_pipeline *pipeline)
{
    double eta;
    struct leat_progress now = look(progress, pipeline, &eta);
    progress_end(progress);
    print_numbers(stderr, &now, progress->rate, eta);
    fputc('\n', stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
