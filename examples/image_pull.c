/* SPDX-License-Identifier: MIT */
/* Pulls a container image from a registry into a folder: image_pull SOURCE LAYOUT, such as
 * docker://localhost:5000/app:1 oci:layout:1. Each blob is compared with its digest before it is published. Then the
 * whole layout is verified once more. */
#include <leat/leat.h>
#include <stdio.h>

static int explain(const struct leat_error *error)
{
    fprintf(stderr, "image_pull: %s: %s\n", error->node[0] ? error->node : "failed", error->text);
    return 1;
}

static void problem(void *user, const struct leat_error *error)
{
    (void)user;
    fprintf(stderr, "image_pull: %s: %s\n", error->node, error->text);
}

int main(int argc, char **argv)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_image_options options = LEAT_INIT(struct leat_image_options);
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    char folder[4096];
    if (argc != 3) {
        fprintf(stderr, "usage: image_pull SOURCE oci:DIRECTORY:TAG\n");
        return 2;
    }
    if (leat_image_copy(argv[1], argv[2], NULL, &result, &error) < 0)
        return explain(&error);
    printf("%s, %llu bytes in %llu blobs\n", result.digest, (unsigned long long)result.bytes,
           (unsigned long long)result.blobs);

    /* Without its tag, the name is the folder of the layout. */
    if (sscanf(argv[2], "oci:%4095[^:]", folder) != 1)
        return 2;
    options.problem = problem;
    if (leat_image_verify(folder, &options, &result, &error) < 0)
        return 1;
    printf("%llu blobs are right\n", (unsigned long long)result.blobs);
    return 0;
}
