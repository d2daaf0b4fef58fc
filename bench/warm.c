/* SPDX-License-Identifier: MIT */
/* warm SIZE: uses so much memory once and gives it back. On a virtual machine the kernel's free pages may have no
 * memory of the host behind them, and who gets them first pays for that: ten times what the copy itself costs. */
#include "tool.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        tool_usage("warm SIZE");
    size_t size = (size_t)tool_number(argv[1]);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        tool_fail("mmap");
    return 0;
}
