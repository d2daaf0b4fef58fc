/* SPDX-License-Identifier: MIT */
#include "trace.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct timespec began;

/* A line is printed by one call, so that lines of several threads do not mix. */
static void print_line(FILE *memory, char **line)
{
    if (fclose(memory) == 0 && *line)
        fputs(*line, stderr);
    free(*line);
}

/* Quotes characters that a terminal can't show, and what is no UTF-8. The result is from malloc, or NULL. */
static char *quote(const char *text)
{
    size_t size = leat_text_quote(NULL, 0, text) + 1;
    char *quoted = malloc(size);
    if (quoted)
        leat_text_quote(quoted, size, text);
    return quoted;
}

static void print_value(FILE *to, const char *text)
{
    char *quoted = quote(text);
    bool plain = !strpbrk(text, " '\"");
    fprintf(to, plain || (quoted && quoted[0] == '\'') ? "%s" : "'%s'", quoted ? quoted : "?");
    free(quoted);
}

/* leat: trace: CATEGORY: SENTENCE (NAME=VALUE NAME=VALUE) */
static void trace_text(void *unused, const struct leat_trace_record *record)
{
    (void)unused;
    char *line = NULL;
    size_t size;
    FILE *to = open_memstream(&line, &size);
    if (!to)
        return;
    fprintf(to, "leat: trace: %s: %s", leat_trace_name(record->category), record->sentence);
    const char *before = " (";
    for (uint32_t i = 0; i < record->fields; i++) {
        const struct leat_trace_field *field = &record->field[i];
        if (field->text && !field->text[0])
            continue;
        fprintf(to, "%s%s=", before, field->name);
        before = " ";
        if (field->text)
            print_value(to, field->text);
        else
            fprintf(to, "%llu", (unsigned long long)field->number);
    }
    fputs(*before && before[1] ? "\n" : ")\n", to);
    print_line(to, &line);
}

/* Text that is no UTF-8 is quoted as a shell reads it. */
static json_t *json_of_text(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    char *quoted = quote(text);
    json = json_string(quoted ? quoted : "?");
    free(quoted);
    return json;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
}

static void trace_json(void *unused, const struct leat_trace_record *record)
{
    (void)unused;
    json_t *fields = json_array();
    for (uint32_t i = 0; i < record->fields; i++) {
        const struct leat_trace_field *field = &record->field[i];
        json_t *value = field->text ? json_of_text(field->text) : json_integer((json_int_t)field->number);
        json_array_append_new(fields, json_pack("{s:s, s:o}", "name", field->name, "value", value));
    }
    json_t *object = json_pack("{s:s, s:f, s:s, s:s, s:o}", "type", "trace", "seconds", seconds(), "category",
                               leat_trace_name(record->category), "sentence", record->sentence, "fields", fields);
    char *line = NULL;
    size_t size;
    FILE *to = object ? open_memstream(&line, &size) : NULL;
    if (to) {
        json_dumpf(object, to, JSON_COMPACT | JSON_REAL_PRECISION(6));
        fputc('\n', to);
        print_line(to, &line);
    }
    json_decref(object);
}

int trace_choose(const char *command, const char *value, enum trace_mode *ret)
{
    static const char *const words[] = {"text", "json", NULL};
    int32_t word = 0;
    int r = cli_choose(command, "trace", value ? value : words[0], words, &word);
    *ret = word == 0 ? TRACE_TEXT : TRACE_JSON;
    return r;
}

int trace_begin(enum trace_mode mode)
{
    clock_gettime(CLOCK_MONOTONIC, &began);
    int r = mode == TRACE_NO ? 0 : leat_trace_set(mode == TRACE_JSON ? trace_json : trace_text, NULL);
    if (r < 0)
        cli_warn("--trace: %s", strerror(-r));
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
