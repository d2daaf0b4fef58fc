/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/platform.h"
#include "base/quote.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#define ERRNO_MAX 4095 /* the kernel's limit; POSIX names far fewer */

/* Cuts a sentence that is too long. Masks control characters, because the sentence may have names in it, or text from a
 * peer or a child, and may be printed on a terminal. */
static void fill(struct leat_error *error, int code, const char *format, va_list arguments)
{
    error->code = code;
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    quote_mask(error->text);
}

static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Copies a string of any bytes. `from` may be `to`. Of a string that has no room, as many bytes stay from its begin as
 * from its end. In text that is not UTF-8, the cuts look for the begin of a character over three bytes at most. */
static void copy(char *to, size_t size, const char *from)
{
    static const char gap[] = "...";
    if (!from) {
        *to = '\0';
        return;
    }
    size_t n = strlen(from), half = (size - sizeof(gap)) / 2, head = half, tail = half;
    if (n < size) {
        memmove(to, from, n + 1);
        return;
    }
    while (head > half - 3 && is_inside_character(from[head]))
        head--;
    while (tail > half - 3 && is_inside_character(from[n - tail]))
        tail--;
    memcpy(to, from, head);
    memcpy(to + head, gap, sizeof(gap) - 1);
    memcpy(to + head + sizeof(gap) - 1, from + n - tail, tail + 1);
}

void error_node(struct leat_error *error, const char *node)
{
    if (error)
        copy(error->node, sizeof(error->node), node);
}

void error_spec(struct leat_error *error, const char *spec)
{
    char *shown = spec ? strndup(quote_without_login(spec), quote_length(spec)) : NULL;
    error_node(error, shown);
    free(shown);
}

void error_operation(struct leat_error *error, const char *operation)
{
    if (error)
        copy(error->operation, sizeof(error->operation), operation);
}

void error_complete(struct leat_error *error, const char *node, const char *operation)
{
    if (error && !error->node[0])
        error_node(error, node);
    if (error && !error->operation[0])
        error_operation(error, operation);
}

int error_set(struct leat_error *error, int code, const char *format, ...)
{
    if (error && error->code == 0) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, code, format, arguments);
        va_end(arguments);
    }
    return code;
}

int error_at(struct leat_error *error, int code, enum leat_side side, const char *node, const char *operation,
             const char *format, ...)
{
    if (error && error->code == 0) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, code, format, arguments);
        va_end(arguments);
        error->side = side;
        error_node(error, node);
        error_operation(error, operation);
    }
    return code;
}

int error_hand_on(struct leat_error *error, const struct leat_error *failure)
{
    if (!failure->code)
        return 0;
    uint32_t index = error->index;
    uint64_t offset = error->offset;
    *error = *failure;
    error->index = index;
    error->offset = offset;
    return error->code;
}

void error_advise(struct leat_error *error, enum leat_advice advice)
{
    if (error && error->code == 0)
        error->advice = advice;
}

void error_place(struct leat_error *error, size_t index, uint64_t offset)
{
    if (error->code == 0) {
        error->index = (uint32_t)index;
        error->offset = offset;
    }
}

void error_note(struct leat_error *error, const char *name, const char *note)
{
    char notes[sizeof(error->text)], *first = strstr(error->text, "; '");
    size_t sentence = first ? (size_t)(first - error->text) : strlen(error->text);
    snprintf(notes, sizeof(notes), "%s; '%.30s': %s", error->text + sentence, name, note);
    quote_mask(notes);
    error->text[MIN(sentence, sizeof(error->text) - 1 - strlen(notes))] = '\0';
    quote_mask(error->text); /* removes a character that was cut in the middle */
    memcpy(error->text + strlen(error->text), notes, strlen(notes) + 1);
}

int error_of_answer(int answer)
{
    return answer <= 0 && answer >= -ERRNO_MAX ? answer : -EPROTO;
}

/* INT_MIN is returned as it is, because there is no positive number for it. */
static int magnitude(int code)
{
    return code < 0 && code >= -INT_MAX ? -code : code;
}

int error_begin(struct leat_error *ret_error)
{
    static const struct leat_error none = {.size = sizeof(none)};
    return ret_error ? return_sized(ret_error, &none, sizeof(none)) : 0;
}

int error_return(struct leat_error *ret_error, const struct leat_error *error, int r)
{
    struct leat_error own = *error;
    if (r == 0 || !ret_error)
        return r;
    if (own.code == 0) {
        own.code = r;
        error_text(r, own.text, sizeof(own.text));
    }
    return_sized(ret_error, &own, sizeof(own));
    return r;
}

const char *error_text(int code, char *buffer, size_t size)
{
    if (strerror_r(magnitude(code), buffer, size) != 0)
        snprintf(buffer, size, "error %d", magnitude(code));
    return buffer;
}

const char *leat_errno_name(int code)
{
    const char *name = platform.errno_name(magnitude(code));
    return name ? name : "E?";
}

const char *leat_version(void)
{
    return LEAT_VERSION;
}

int leat_version_check(int32_t headers)
{
    int32_t own = LEAT_VERSION_NUMBER, series = LEAT_VERSION_MAJOR > 0 ? 10000 : 100;
    if (headers < 0)
        return -EINVAL;
    if (headers > own)
        return -ENOSYS;
    return headers / series == own / series ? 0 : -EPROTO;
}

void leat_free(void *text)
{
    free(text);
}
