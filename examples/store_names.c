/* SPDX-License-Identifier: MIT */
/* Lists stores: store_names PLACE... lists each place (s3://BUCKET/PREFIX, oci://HOST/NAME, file:DIRECTORY) with
 * everything below it, and asks the store about the largest object that it has listed. */
#include <inttypes.h>
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sum {
    uint64_t names, bytes, most;
    char *largest; /* the spec of it for leat_store_stat; NULL: no object was listed */
};

static void explain(const struct leat_error *error)
{
    fprintf(stderr, "store_names: %s: %s\n", error->node, error->text);
}

/* The entry is valid only during the call. */
static int add(void *user, const struct leat_store_entry *entry)
{
    struct sum *sum = user;
    sum->names++;
    printf("%s\n", entry->name);
    if (entry->kind != LEAT_STORE_OBJECT || entry->bytes == LEAT_STORE_SIZE_UNKNOWN)
        return 0;
    sum->bytes += entry->bytes;
    if (sum->largest && entry->bytes <= sum->most)
        return 0;
    free(sum->largest);
    sum->largest = malloc(strlen(entry->spec) + 1);
    if (!sum->largest)
        return -12; /* any negative errno ends the list: ENOMEM */
    strcpy(sum->largest, entry->spec);
    sum->most = entry->bytes;
    return 0;
}

static int tell(void *user, const struct leat_store_entry *entry)
{
    (void)user;
    printf("the largest is %s: %" PRIu64 " bytes%s%s\n", entry->name, entry->bytes, entry->etag ? ", ETag " : "",
           entry->etag ? entry->etag : "");
    for (size_t i = 0; i < entry->metadata_count; i++)
        printf("  %s: %s\n", entry->metadata[i].name, entry->metadata[i].value);
    return 0;
}

int main(int argc, char **argv)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    struct sum sum = {0};
    int failed = argc < 2;
    options.recursive = 1;
    options.entry = add;
    options.user = &sum;
    for (int i = 1; i < argc; i++)
        if (leat_store_list(argv[i], &options, &error) < 0) {
            explain(&error);
            failed = 1;
        }
    printf("%" PRIu64 " names, %" PRIu64 " bytes\n", sum.names, sum.bytes);
    options.entry = tell;
    if (sum.largest && leat_store_stat(sum.largest, &options, &error) < 0) {
        explain(&error);
        failed = 1;
    }
    free(sum.largest);
    return failed;
}
