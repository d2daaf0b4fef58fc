/* SPDX-License-Identifier: MIT */
/* The simplest copy with a digest: copy_digest SOURCE TARGET prints a line that sha256sum -c reads. TARGET appears as a
 * whole, or not at all. */
#include <leat/leat.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_report *report;
    char hex[LEAT_DIGEST_HEX_MAX];

    if (argc != 3) {
        fprintf(stderr, "usage: copy_digest SOURCE TARGET\n");
        return 2;
    }
    options.digest = "sha256";
    int r = leat_copy(argv[1], argv[2], &options, &report, &error);
    if (r == 0)
        r = leat_report_digest(report, "sha256", hex, sizeof(hex));
    leat_report_free(report);
    if (r < 0) {
        fprintf(stderr, "copy_digest: %s: %s: %s\n", error.node, error.operation, error.text);
        return 1;
    }
    return printf("%s  %s\n", hex, argv[2]) < 0;
}
