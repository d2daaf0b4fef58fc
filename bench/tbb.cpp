/* SPDX-License-Identifier: MIT */
// tbb parallel|ordered N: what bench/stages.c does as `pass` and `ordered`, by oneTBB's parallel_pipeline: N items that
// nothing is done with go through three filters, with as many tokens as leat has workers.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <oneapi/tbb/parallel_pipeline.h>

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "parallel") != 0 && strcmp(argv[1], "ordered") != 0)) {
        fprintf(stderr, "usage: tbb parallel|ordered N\n");
        return 2;
    }
    namespace tbb = oneapi::tbb;
    static char blocks[64];
    const uint64_t wanted = strtoull(argv[2], nullptr, 10);
    const bool ordered = strcmp(argv[1], "ordered") == 0;
    const auto last = ordered ? tbb::filter_mode::serial_in_order : tbb::filter_mode::serial_out_of_order;
    uint64_t given = 0, got = 0;
    auto pass = tbb::make_filter<char *, char *>(tbb::filter_mode::parallel, [](char *item) { return item; });
    tbb::parallel_pipeline(
        6, tbb::make_filter<void, char *>(tbb::filter_mode::serial_in_order,
                                          [&](tbb::flow_control &control) -> char * {
                                              if (given == wanted) {
                                                  control.stop();
                                                  return nullptr;
                                              }
                                              return &blocks[given++ % 64];
                                          }) &
               pass & pass & pass & tbb::make_filter<char *, void>(last, [&](char *) { got++; }));
    printf("%llu items\n", static_cast<unsigned long long>(got));
    return got == wanted ? 0 : 1;
}
