/* SPDX-License-Identifier: MIT */
/* leat/image.h: an image goes from one layout to another, is looked at, and is compared. */
#include "../swept.h"

int main(void)
{
    struct leat_image_options options = LEAT_INIT(struct leat_image_options);
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    char *text = NULL;
    TRY(leat_image_copy("oci:from", "oci:to:one", &options, &result, NULL));
    EXPECT(result.blobs == 1 && result.manifests == 1);
    TRY(leat_image_inspect("oci:to:one", &options, &text, NULL));
    EXPECT(strstr(text, "\"config\""));
    TRY(leat_image_verify("oci:to", &options, &result, NULL));
    EXPECT(result.blobs == 2 && result.problems == 0);
done:
    leat_free(text);
    return swept_result;
}
