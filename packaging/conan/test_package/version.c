/* SPDX-License-Identifier: MIT */
#include <leat/leat.h>
#include <stdio.h>

int main(void)
{
    return printf("leat %s\n", leat_version()) < 0;
}
