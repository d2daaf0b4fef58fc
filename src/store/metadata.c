/* SPDX-License-Identifier: MIT */
#include "store/metadata.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

const char *const metadata_names[METADATA_COUNT] = {"mtime", "mode", "uid", "gid"};

void metadata_of_stat(struct metadata *ret, const struct stat *st, bool owner)
{
    const struct timespec *time = &st->st_mtim;
    bool is_before = time->tv_sec < 0 && time->tv_nsec > 0; /* -0.5 is -1 and 500000000 */
    int64_t seconds = (int64_t)time->tv_sec + is_before;
    long ns = is_before ? 1000000000L - time->tv_nsec : time->tv_nsec;
    *ret = (struct metadata){0};
    snprintf(ret->value[METADATA_MTIME], sizeof(ret->value[0]), "%s%" PRId64 ".%09ld",
             is_before && seconds == 0 ? "-" : "", seconds, ns);
    if (!st->st_mode)
        return;
    snprintf(ret->value[METADATA_MODE], sizeof(ret->value[0]), "%o", (unsigned)st->st_mode);
    if (owner) {
        snprintf(ret->value[METADATA_UID], sizeof(ret->value[0]), "%" PRIu32, (uint32_t)st->st_uid);
        snprintf(ret->value[METADATA_GID], sizeof(ret->value[0]), "%" PRIu32, (uint32_t)st->st_gid);
    }
}

/* Returns false unless all of the text is digits of the base and fits. */
static bool read_number(const char *text, int base, uint64_t most, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > most)
        return false;
    *ret = value;
    return true;
}

/* Seconds since 1970, with a fraction or without. */
static void read_time(const char *text, struct timespec *ret)
{
    char whole[40];
    bool is_before = text[0] == '-';
    size_t n = strcspn(text += is_before, ".");
    const char *fraction = text[n] ? text + n + 1 : "0";
    uint64_t seconds, part;
    long ns = 0;
    memcpy(whole, text, n);
    whole[n] = '\0';
    if (!read_number(whole, 10, INT32_MAX * UINT64_C(1000), &seconds) || !read_number(fraction, 10, UINT64_MAX, &part))
        return;
    for (size_t i = 0; i < 9; i++)
        ns = 10 * ns + (i < strlen(fraction) ? fraction[i] - '0' : 0);
    ret->tv_sec = is_before ? -(time_t)seconds - (ns > 0) : (time_t)seconds;
    ret->tv_nsec = is_before && ns > 0 ? 1000000000L - ns : ns;
}

/* rclone writes octal digits, s3fs decimal ones; the type of the file in it tells them apart. */
static bool has_kind(uint64_t mode)
{
    return S_ISREG((mode_t)mode) || S_ISDIR((mode_t)mode);
}

static void read_mode(const char *text, mode_t *ret)
{
    uint64_t mode = 0;
    bool is_octal = read_number(text, 8, 0177777, &mode) && (has_kind(mode) || mode <= 07777);
    if (is_octal || (read_number(text, 10, 0177777, &mode) && has_kind(mode)))
        *ret = (S_ISDIR((mode_t)mode) ? S_IFDIR : S_IFREG) | ((mode_t)mode & 07777);
}

void metadata_to_stat(const struct metadata *metadata, struct stat *st)
{
    uint64_t number;
    read_time(metadata->value[METADATA_MTIME], &st->st_mtim);
    read_mode(metadata->value[METADATA_MODE], &st->st_mode);
    if (read_number(metadata->value[METADATA_UID], 10, UINT32_MAX - 1, &number))
        st->st_uid = (uid_t)number;
    if (read_number(metadata->value[METADATA_GID], 10, UINT32_MAX - 1, &number))
        st->st_gid = (gid_t)number;
}
