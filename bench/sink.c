/* SPDX-License-Identifier: MIT */
/* sink sum|null: takes all that comes on standard input and says on standard output how many bytes that was. `sum`
 * reads and looks at each of them, as a program that wants the bytes would; `null` only drops the pages. */
#include "tool.h"
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define BLOCK (128 * 1024)

static volatile uint64_t sum;

/* What is beyond the last whole word is looked at too. */
static void look(const unsigned char *bytes, size_t n)
{
    uint64_t word, total = 0;
    size_t i = 0;
    for (; i + sizeof(word) <= n; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        total += word;
    }
    for (; i < n; i++)
        total += bytes[i];
    sum += total;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        tool_usage("sink sum|null");
    bool drop = strcmp(argv[1], "null") == 0;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    unsigned char *buffer = tool_buffer(BLOCK);
    uint64_t bytes = 0;
    ssize_t n;
    while ((n = drop ? splice(STDIN_FILENO, NULL, null, NULL, 1 << 20, 0) : read(STDIN_FILENO, buffer, BLOCK)) > 0) {
        if (!drop)
            look(buffer, (size_t)n);
        bytes += (uint64_t)n;
    }
    if (n < 0)
        tool_fail("sink");
    printf("%llu\n", (unsigned long long)bytes);
    return 0;
}
