/* SPDX-License-Identifier: MIT */
/* All unit tests as one program: its argument says which one runs. emscripten_tests.h has a line TEST(name, main) for
 * each. */
#include <stdio.h>
#include <string.h>

#define TEST(name, main) int main(void);
#include "emscripten_tests.h"
#undef TEST

static const struct {
    const char *name;
    int (*main)(void);
} tests[] = {
#define TEST(name, main) {name, main},
#include "emscripten_tests.h"
#undef TEST
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        if (argc == 2 && strcmp(argv[1], tests[i].name) == 0)
            return tests[i].main();
    fprintf(stderr, "there is no test '%s'\n", argc == 2 ? argv[1] : "");
    return 2;
}
