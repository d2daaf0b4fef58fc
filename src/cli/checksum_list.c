/* SPDX-License-Identifier: MIT */
#include "checksum_list.h"
#include <string.h>

int checksum_list_new(struct checksum_list *l, const char *algorithms)
{
    *l = (struct checksum_list){.algorithms = algorithms};
    return algorithms ? leat_filter_digest(&l->asked, algorithms, NULL, NULL) : 0;
}

void checksum_list_free(struct checksum_list *l)
{
    leat_filter_free(l->asked);
}

void checksum_list_begin(struct checksum_list *l, FILE *from)
{
    l->from = from;
    l->gap = CHECKSUM_GAP_UNKNOWN;
    l->number = 0;
}

/* ---- the algorithm of a line ---- */

/* Returns how many hex digits a digest of this algorithm has; 0: the filter does not have the algorithm. */
static size_t digits_of(leat_filter *filter, const char *algorithm)
{
    unsigned char bytes[LEAT_DIGEST_HEX_MAX / 2];
    size_t n;
    return leat_filter_digest_bytes(filter, algorithm, bytes, sizeof(bytes), &n) == 0 ? 2 * n : 0;
}

/* With -a only its algorithms are accepted, without it every algorithm. */
static size_t digits_of_tag(const struct checksum_list *l, const char *tag)
{
    leat_filter *filter;
    if (l->asked)
        return digits_of(l->asked, tag);
    if (strlen(tag) >= CHECKSUM_TAG_MAX || leat_filter_digest(&filter, tag, NULL, NULL) < 0)
        return 0;
    size_t digits = digits_of(filter, tag);
    leat_filter_free(filter);
    return digits;
}

static bool usual_algorithm(size_t digits, char ret[CHECKSUM_TAG_MAX])
{
    static const struct {
        size_t digits;
        const char *name;
    } usual[] = {{32, "md5"}, {40, "sha1"}, {56, "sha224"}, {64, "sha256"}, {96, "sha384"}, {128, "sha512"}};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (usual[i].digits == digits) {
            snprintf(ret, CHECKSUM_TAG_MAX, "%s", usual[i].name);
            return true;
        }
    return false;
}

/* Finds the algorithm of -a whose digest has this length. False if there is none, or if two have it. */
static bool asked_algorithm(const struct checksum_list *l, size_t digits, char ret[CHECKSUM_TAG_MAX])
{
    size_t found = 0;
    for (const char *at = l->algorithms; *at;) {
        char name[CHECKSUM_TAG_MAX];
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)n, at);
        if (digits_of(l->asked, name) == digits) {
            memcpy(ret, name, sizeof(name));
            found++;
        }
        at += n + (at[n] == ',');
    }
    return found == 1;
}

/* Chooses the algorithm of a line. False: no algorithm fits the line. */
static bool choose_algorithm(const struct checksum_list *l, const struct checksum_line *line,
                             char ret[CHECKSUM_TAG_MAX])
{
    size_t digits = strlen(line->hex);
    if (!line->tag)
        return l->asked ? asked_algorithm(l, digits, ret) : usual_algorithm(digits, ret);
    if (digits_of_tag(l, line->tag) != digits)
        return false;
    snprintf(ret, CHECKSUM_TAG_MAX, "%s", line->tag);
    return true;
}

/* ---- lines ---- */

/* Reads a line without its end, which is \n or \r\n. False: there are no more lines. *ret_fits is false if the line has
 * a NUL or is too long. */
static bool read_line(FILE *from, char text[CHECKSUM_LINE_MAX], bool *ret_fits)
{
    size_t n = 0;
    int c;
    bool any = false;
    *ret_fits = true;
    while ((c = getc(from)) != EOF && c != '\n') {
        any = true;
        *ret_fits &= c != '\0' && n < CHECKSUM_LINE_MAX - 1;
        if (*ret_fits)
            text[n++] = (char)c;
    }
    if (n > 0 && text[n - 1] == '\r')
        n--;
    text[n] = '\0';
    return any || c == '\n';
}

int checksum_list_next(struct checksum_list *l, struct checksum_entry *ret)
{
    struct checksum_line line;
    bool fits;
    *ret = (struct checksum_entry){.name = NULL};
    while (read_line(l->from, l->text, &fits)) {
        l->number++;
        if (fits && (l->text[0] == '\0' || l->text[0] == '#'))
            continue;
        if (fits && checksum_parse(l->text, &l->gap, &line) == 0 && choose_algorithm(l, &line, ret->algorithm)) {
            ret->name = line.name;
            ret->hex = line.hex;
        }
        return 1;
    }
    return 0;
}
