/* SPDX-License-Identifier: MIT */
/* source write|vmsplice SIZE [BLOCK]: fills standard output with SIZE bytes that don't compress, BLOCK (1M) by each
 * call. `vmsplice` hands over the pages themselves, so that the source costs next to nothing; they are never written to
 * again. */
#include "tool.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        tool_usage("source write|vmsplice SIZE [BLOCK]");
    bool give = strcmp(argv[1], "vmsplice") == 0;
    uint64_t left = tool_number(argv[2]);
    uint64_t *words = tool_buffer(BLOCK), random = 88172645463325252U;
    for (size_t i = 0; i < BLOCK / sizeof(*words); i++) {
        random ^= random << 13; /* xorshift */
        random ^= random >> 7;
        random ^= random << 17;
        words[i] = random;
    }
    size_t at = 0, block = argc == 4 ? (size_t)tool_number(argv[3]) : BLOCK;
    if (block == 0 || BLOCK % block)
        tool_usage("BLOCK divides 1M");
    while (left > 0) {
        size_t now = block - at % block < left ? block - at % block : (size_t)left;
        struct iovec part = {(char *)words + at, now};
        ssize_t n = give ? vmsplice(STDOUT_FILENO, &part, 1, 0) : write(STDOUT_FILENO, part.iov_base, part.iov_len);
        if (n < 0)
            tool_fail("source");
        left -= (uint64_t)n;
        at = (at + (size_t)n) % BLOCK;
    }
    return 0;
}
