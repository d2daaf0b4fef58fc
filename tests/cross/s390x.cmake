# SPDX-License-Identifier: MIT
# Big endian, under qemu.
set(architecture s390x)
set(triplet s390x-linux-gnu)
set(multiarch ${triplet})
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
set(LEAT_UNIT_RUNNER "qemu-s390x-static;-L;${root}" CACHE STRING "")
