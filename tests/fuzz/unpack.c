/* SPDX-License-Identifier: MIT */
/* Lines, each an entry of an archive: its kind (0 file, 1 hard link, 2 symbolic link, 5 folder), its name, and after a
 * tab the text of a link. Whatever they say, unpacking changes nothing outside of the target, and ends. */
// instrumented: tree/archive/unpack tree/archive/unpack_names tree/archive/unpack_kept tree/beneath
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <leat/tree.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 512
};

static void need(int right)
{
    if (!right)
        abort();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

/* Writes a header in the format ustar. */
static void put_entry(FILE *to, char kind, const char *name, size_t n, const char *link, size_t link_length)
{
    unsigned char block[BLOCK] = {0};
    unsigned sum = 0;
    memcpy(block, name, n < 100 ? n : 100);
    memcpy(block + 157, link, link_length < 100 ? link_length : 100);
    memcpy(block + 100,
           "0000755\0"
           "0000000\0"
           "0000000\0"
           "00000000000\0"
           "00000000001\0"
           "        ",
           56);
    block[156] = (unsigned char)kind;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    for (int i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
    block[155] = ' ';
    need(fwrite(block, 1, BLOCK, to) == BLOCK);
}

static void put_archive(const uint8_t *bytes, size_t n)
{
    static const unsigned char zeros[2 * BLOCK];
    FILE *to = fopen("w/a.tar", "w");
    need(to != NULL);
    for (const uint8_t *at = bytes, *end = bytes + n; at < end;) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end ? line_end : end;
        if (line_end - at > 1) {
            const char *name = (const char *)at + 1;
            size_t length = (size_t)(line_end - at) - 1;
            const char *tab = memchr(name, '\t', length);
            size_t name_length = tab ? (size_t)(tab - name) : length;
            put_entry(to, (char)*at, name, name_length, tab ? tab + 1 : "", tab ? length - name_length - 1 : 0);
        }
        at = line_end + 1;
    }
    need(fwrite(zeros, 1, sizeof(zeros), to) == sizeof(zeros) && fclose(to) == 0);
}

static int count_names(const char *path)
{
    int n = 0;
    DIR *stream = opendir(path);
    need(stream != NULL);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n - 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct stat st;
    need(mkdir("w", 0700) == 0 && mkdir("w/out", 0700) == 0);
    int fd = open("w/out/kept", O_WRONLY | O_CREAT, 0600);
    need(fd >= 0 && write(fd, "kept", 4) == 4 && close(fd) == 0);
    put_archive(bytes, n);
    int r = leat_tree_copy("tar:w/a.tar", "w/in", &options, NULL, NULL);
    need(r == -ENOSYS || r == -ELIBACC || count_names("w") == 3 && count_names("w/out") == 1 && count_names(".") == 1);
    need(lstat("w/out/kept", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 4 && st.st_nlink == 1);
    need(nftw("w", remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
    return 0;
}
