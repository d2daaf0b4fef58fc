/* SPDX-License-Identifier: MIT */
#include "route/trial.h"

/* Differences are (a - b) / (a + b): 0 if both are equal, 0.5 if one is three times the other. */
#define CLEARLY     0.015   /* 3% faster */
#define CHEAPER     0.05    /* 10% less processor time */
#define HOPELESS    (-0.11) /* four fifths of the speed, or less */
#define NOISE       0.01    /* windows differ by at least so much, whatever the first few of them say */
#define SURE        3       /* standard errors: a change has to be worth it, since many looks are made */
#define LIKELY      2       /* standard errors: to stay costs little */
#define PAIRS_MIN   4
#define PAIRS_MAX   12
#define USELESS_MAX 4
#define STALL       4   /* a window that took so many times its time waited for a peer */
#define FALL        0.5 /* of the usual speed is much slower, in so many windows in a row */
#define FALLS       4
#define SMOOTH      8 /* of the average speed each window is an eighth */

struct trial_tuning trial_tuning = {
    .window_ns = 10000000,
    .window_bytes = 1 << 20,
    .share = 0.02,
    .rest_ns = 1000000000,
    .rest = 1,
};

void trial_begin(struct trial *trial, size_t routes, size_t home, int64_t now)
{
    *trial = (struct trial){.routes = routes, .home = home, .running = home, .began_ns = now, .look_ns = now};
    trial->rival = (home + 1) % routes;
}

static double difference(double a, double b)
{
    return a + b > 0 ? (a - b) / (a + b) : 0;
}

static double speed(const struct trial_sample *sample)
{
    return sample->ns > 0 ? (double)sample->bytes / (double)sample->ns : 0;
}

static bool says_something(const struct trial_sample *sample)
{
    return sample->bytes >= trial_tuning.window_bytes && sample->ns <= STALL * trial_tuning.window_ns;
}

/* Is the mean of `n` differences above `limit`, by so many standard errors? sign -1: is it below? */
static bool is_beyond(double sum, double squares, unsigned n, double limit, int sign, double errors)
{
    double mean = sum / n, variance = squares / n - mean * mean;
    double distance = sign * (mean - limit);
    return distance > 0 && distance * distance * (n - 1) > errors * errors * MAX(variance, NOISE * NOISE);
}

enum outcome {
    GOES_ON,
    BETTER,
    WORSE
};

/* Both are equally fast, as far as can be seen. */
static enum outcome judge_cost(const struct trial *t)
{
    bool level = t->faster / t->pairs > -CLEARLY;
    return level && is_beyond(t->cheaper, t->cheaper_squares, t->pairs, CHEAPER, 1, SURE) ? BETTER : WORSE;
}

static enum outcome judge(const struct trial *t)
{
    if (t->useless >= USELESS_MAX)
        return WORSE;
    if (t->pairs >= 2 && t->faster / t->pairs < HOPELESS)
        return WORSE;
    if (t->pairs < PAIRS_MIN)
        return GOES_ON;
    if (is_beyond(t->faster, t->faster_squares, t->pairs, CLEARLY, 1, SURE))
        return BETTER;
    if (t->pairs >= PAIRS_MAX || is_beyond(t->faster, t->faster_squares, t->pairs, CLEARLY, -1, LIKELY))
        return judge_cost(t);
    return GOES_ON;
}

/* What the rival cost: the time that home would not have needed for the same bytes. */
static void record_pair(struct trial *t, const struct trial_sample *home, const struct trial_sample *rival)
{
    if (!says_something(home) || !says_something(rival)) {
        t->useless++;
        t->lost_ns += MIN(rival->ns, trial_tuning.window_ns);
        return;
    }
    double faster = difference(speed(rival), speed(home));
    double cheaper =
        difference((double)home->cpu_ns * (double)rival->bytes, (double)rival->cpu_ns * (double)home->bytes);
    t->pairs++;
    t->faster += faster;
    t->faster_squares += faster * faster;
    t->cheaper += cheaper;
    t->cheaper_squares += cheaper * cheaper;
    double needed = (double)rival->bytes / speed(home);
    if (needed < (double)rival->ns)
        t->lost_ns += rival->ns - (int64_t)needed;
}

static bool may_spend(const struct trial *t, int64_t now)
{
    return (double)(t->lost_ns + trial_tuning.window_ns) <= trial_tuning.share * (double)(now - t->began_ns);
}

/* The next look is at another rival, after as long a time as the run has lasted. */
static void end_look(struct trial *t, enum outcome outcome, int64_t now)
{
    if (outcome == BETTER) {
        size_t old = t->home;
        t->home = t->rival;
        t->rival = old;
        t->changes++;
    }
    do
        t->rival = (t->rival + 1) % t->routes;
    while (t->rival == t->home);
    t->looks = false;
    t->speed = 0;
    t->falls = 0;
    t->look_ns = now + MAX((int64_t)(trial_tuning.rest * (double)(now - t->began_ns)), trial_tuning.rest_ns);
}

/* Home has moved the bytes of a window in which nothing was compared. If it is much slower than it was, something has
 * changed, and a look is due. */
static void watch_speed(struct trial *t, const struct trial_sample *sample, int64_t now)
{
    double is = speed(sample);
    if (t->speed == 0)
        t->speed = is;
    else if (is >= FALL * t->speed) {
        t->falls = 0;
        t->speed += (is - t->speed) / SMOOTH;
    } else if (++t->falls >= FALLS)
        t->look_ns = MIN(t->look_ns, now);
}

static void begin_look(struct trial *t)
{
    t->looks = true;
    t->pairs = t->useless = 0;
    t->faster = t->faster_squares = t->cheaper = t->cheaper_squares = 0;
}

/* Home goes first in every other pair. */
static bool home_goes_first(const struct trial *t)
{
    return (t->pairs + t->useless) % 2 == 0;
}

static void end_pair(struct trial *t, const struct trial_sample *second, int64_t now)
{
    bool home_first = home_goes_first(t);
    record_pair(t, home_first ? &t->first : second, home_first ? second : &t->first);
    enum outcome outcome = judge(t);
    if (outcome != GOES_ON)
        end_look(t, outcome, now);
}

static void add(struct trial_sample *sum, const struct trial_sample *sample)
{
    sum->windows++;
    sum->bytes += sample->bytes;
    sum->ns += sample->ns;
    sum->cpu_ns += sample->cpu_ns;
}

size_t trial_step(struct trial *t, const struct trial_sample *sample, int64_t now)
{
    add(&t->sum[t->running], sample);
    if (t->phase == TRIAL_FIRST) {
        t->first = *sample;
        t->phase = TRIAL_SECOND;
        return t->running = t->running == t->home ? t->rival : t->home;
    }
    if (t->phase == TRIAL_SECOND)
        end_pair(t, sample, now);
    else
        watch_speed(t, sample, now);
    if (!t->looks && now >= t->look_ns)
        begin_look(t);
    bool compares = t->looks && may_spend(t, now);
    t->phase = compares ? TRIAL_FIRST : TRIAL_REST;
    return t->running = compares && !home_goes_first(t) ? t->rival : t->home;
}
