/* SPDX-License-Identifier: MIT */
/* The errno of each HTTP status, as leat/endpoint.h says. */
#include "store/status.h"
#include "unit/unit.h"

static void test_each_status(void **state UNUSED)
{
    static const struct {
        int status, code;
    } known[] = {
        {401, -EACCES},    {403, -EACCES},    {407, -EACCES}, {404, -ENOENT}, {410, -ENOENT}, {412, -ESTALE},
        {408, -ETIMEDOUT}, {504, -ETIMEDOUT}, {413, -EFBIG},  {429, -EBUSY},  {503, -EBUSY},  {507, -ENOSPC},
    };
    for (int status = 0; status < 1000; status++) {
        int code = -EPROTO;
        for (size_t i = 0; i < COUNT(known); i++)
            code = known[i].status == status ? known[i].code : code;
        assert_int_equal(status_code(status), code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_status)};
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
