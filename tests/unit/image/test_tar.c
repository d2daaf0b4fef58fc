/* SPDX-License-Identifier: MIT */
/* Entries of archives, plain and compressed, and how often a compressed archive is read. */
#include "image/archive_tar.h"
#include "image/work.h"
#include "unit/unit.h"
#include <leat/leat.h>
#include <sys/resource.h>

#define ENTRIES 8
#define BYTES   (512u * 1024)

static unsigned char content[ENTRIES][BYTES];

/* A header of ustar, its file, and zeros up to a whole block. */
static void write_entry(FILE *to, const char *name, const void *bytes, size_t n)
{
    static const char magic[8] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};
    char header[512] = "", zeros[512] = "";
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "%07o", 0644u);
    snprintf(header + 124, 12, "%011o", (unsigned)n);
    snprintf(header + 136, 12, "%011o", 0u);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, magic, sizeof(magic));
    for (size_t i = 0; i < sizeof(header); i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    assert_int_equal(fwrite(header, 1, sizeof(header), to), sizeof(header));
    assert_int_equal(fwrite(bytes, 1, n, to), n);
    assert_int_equal(fwrite(zeros, 1, -n % 512, to), -n % 512);
}

static void name_of(size_t i, char ret[32])
{
    snprintf(ret, 32, "entry%zu", i);
}

/* The last entry is small. Between the others is one that nobody asks for. */
static void write_tar(const char *path)
{
    static const char zeros[1024];
    FILE *to = fopen(path, "w");
    unsigned seed = 1;
    assert_non_null(to);
    for (size_t i = 0; i < ENTRIES; i++) {
        char name[32];
        for (size_t k = 0; k < BYTES; k++)
            content[i][k] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
        name_of(i, name);
        write_entry(to, name, content[i], BYTES);
        if (i == 2)
            write_entry(to, "other", content[0], 1000);
    }
    write_entry(to, "small", "some", 4);
    assert_int_equal(fwrite(zeros, 1, sizeof(zeros), to), sizeof(zeros));
    assert_int_equal(fclose(to), 0);
}

static void compress(const char *from, const char *to)
{
    leat_pipeline *pipeline;
    leat_filter *codec;
    leat_endpoint *in, *out;
    int r = leat_filter_codec(&codec, "gzip", NULL);
    unit_needs(r != -ENOENT, "zlib");
    assert_int_equal(r, 0);
    assert_int_equal(leat_pipeline_new(&pipeline, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&in, from, LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&out, to, LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(pipeline, in), 0);
    assert_int_equal(leat_pipeline_sink(pipeline, out, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_filter(pipeline, codec), 0);
    assert_int_equal(leat_pipeline_run(pipeline, NULL), 0);
    leat_pipeline_free(pipeline);
}

static void open_tar(struct tar *tar, const char *path)
{
    struct leat_error error = {.size = sizeof(error)};
    int r = tar_open(tar, path, NULL, &error);
    unit_needs(r != -ELIBACC && r != -ENOSYS, "libarchive");
    assert_int_equal(r, 0);
}

static const struct tar_entry *find(const void *user, const char *digest)
{
    const struct tar_entry *entry;
    return tar_find(user, digest, &entry, NULL) == 0 ? entry : NULL;
}

/* All entries in another order than that of the archive, one of them twice, and one that is not there. */
static void keep(struct tar *tar)
{
    struct blobs blobs = {.count = 0};
    struct descriptor blob = {.size = BYTES};
    for (size_t i = ENTRIES; i-- > 0;) {
        name_of(i, blob.digest);
        assert_int_equal(blobs_add(&blobs, &blob), 0);
    }
    assert_int_equal(blobs_add(&blobs, &blob), 0);
    strcpy(blob.digest, "none");
    assert_int_equal(blobs_add(&blobs, &blob), 0);
    strcpy(blob.digest, "small");
    assert_int_equal(blobs_add(&blobs, &blob), 0);
    tar_keep(tar, &blobs, find, tar);
    blobs_clear(&blobs);
}

struct wanted {
    const unsigned char *bytes;
    size_t at;
};

static int compare(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    struct wanted *w = user;
    assert_true(w->at + n <= BYTES);
    assert_memory_equal(bytes, w->bytes + w->at, n);
    w->at += n;
    *ret_n = n;
    return 0;
}

static void assert_entry(const struct tar *tar, const char *name, const void *bytes, size_t n)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    struct wanted wanted = {.bytes = bytes};
    const struct tar_entry *entry;
    leat_endpoint *in, *out;
    callbacks.write = compare;
    assert_int_equal(tar_find(tar, name, &entry, &error), 0);
    assert_int_equal(tar_source(&in, tar, entry, &error), 0);
    assert_int_equal(leat_endpoint_from_callbacks(&out, &callbacks, &wanted, NULL), 0);
    assert_int_equal(place_move(NULL, in, out, NULL, NULL, name, &error), 0);
    assert_int_equal(wanted.at, n);
}

static void assert_all(const struct tar *tar)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        char name[32];
        name_of(i, name);
        assert_entry(tar, name, content[i], BYTES);
    }
    assert_entry(tar, "small", "some", 4);
    assert_entry(tar, "other", content[0], 1000);
}

static void test_kept_entries_have_their_bytes(void **state UNUSED)
{
    static const char *const paths[] = {"plain.tar", "plain.tar.gz"};
    write_tar("plain.tar");
    compress("plain.tar", "plain.tar.gz");
    for (size_t i = 0; i < COUNT(paths); i++)
        for (int kept = 0; kept < 2; kept++) {
            struct tar tar;
            open_tar(&tar, paths[i]);
            if (kept)
                keep(&tar);
            assert_int_equal(tar.kept >= 0, kept && i == 1);
            assert_all(&tar);
            assert_all(&tar);
            tar_close(&tar);
        }
}

/* No more than the first entry finds room; the others are read from the archive. */
static void test_too_little_room_to_keep(void **state UNUSED)
{
    struct tar tar;
    struct rlimit old, few;
    write_tar("plain.tar");
    compress("plain.tar", "plain.tar.gz");
    open_tar(&tar, "plain.tar.gz");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    few = old;
    few.rlim_cur = BYTES + BYTES / 2;
    int r = setrlimit(RLIMIT_FSIZE, &few);
    unit_needs(r == 0 && unit_signals_come(), "limits of the size of files");
    signal(SIGXFSZ, SIG_IGN);
    keep(&tar);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    size_t kept = 0;
    for (size_t i = 0; i < tar.count; i++)
        kept += tar.entry[i].kept >= 0;
    assert_int_equal(kept, 1);
    assert_all(&tar);
    tar_close(&tar);
}

/* Bytes that this process has read so far, or 0. */
static unsigned long long bytes_read(void)
{
    unsigned long long bytes = 0;
    FILE *from = fopen("/proc/self/io", "r");
    if (!from || fscanf(from, "rchar: %llu", &bytes) != 1)
        bytes = 0;
    if (from)
        fclose(from);
    return bytes;
}

static unsigned long long cost(bool kept)
{
    struct tar tar;
    open_tar(&tar, "plain.tar.gz");
    unsigned long long before = bytes_read();
    if (kept)
        keep(&tar);
    assert_all(&tar);
    unsigned long long after = bytes_read();
    tar_close(&tar);
    return after - before;
}

/* Noise can't be compressed, so the archive has as many bytes as its entries. The kept bytes are read as well. */
static void test_a_compressed_archive_is_read_once(void **state UNUSED)
{
    unit_needs(bytes_read() > 0, "counts of the bytes that a process has read");
    write_tar("plain.tar");
    compress("plain.tar", "plain.tar.gz");
    assert_true(cost(true) < 5 * ENTRIES * BYTES / 2);
    assert_true(cost(false) > 4 * ENTRIES * BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_entries_have_their_bytes),
        cmocka_unit_test(test_too_little_room_to_keep),
        cmocka_unit_test(test_a_compressed_archive_is_read_once),
    };
    return cmocka_run_group_tests_name("tar", tests, unit_folder, unit_folder_gone);
}
