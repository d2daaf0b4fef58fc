/* SPDX-License-Identifier: MIT */
/* leat/store.h: names of files of this machine, which need no server. */
#include "../swept.h"

struct seen {
    unsigned names;
    uint64_t bytes;
};

static int see(void *user, const struct leat_store_entry *entry)
{
    struct seen *seen = user;
    seen->names++;
    seen->bytes += entry->bytes == LEAT_STORE_SIZE_UNKNOWN ? 0 : entry->bytes;
    return 0;
}

int main(void)
{
    static const char *const old[] = {"file:a", "file:b"};
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    struct leat_store_result result = LEAT_INIT(struct leat_store_result);
    struct leat_endpoint_options endpoint = LEAT_INIT(struct leat_endpoint_options);
    struct seen listed = {0, 0}, known = {0, 0};
    options.entry = see;
    options.user = &listed;
    options.endpoint = &endpoint;
    options.recursive = 1;
    TRY(leat_store_list("file:.", &options, NULL));
    EXPECT(listed.names == 3 && listed.bytes == 6);
    options.recursive = 0;
    options.user = &known;
    TRY(leat_store_stat("file:a", &options, NULL));
    EXPECT(known.names == 1 && known.bytes == 3);
    options.entry = NULL;
    TRY(leat_store_remove(old, 2, &options, &result, NULL));
    EXPECT(result.removed == 2 && result.failed == 0);
done:
    return swept_result;
}
