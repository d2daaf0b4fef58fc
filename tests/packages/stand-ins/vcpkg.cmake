# SPDX-License-Identifier: MIT
# Runs a port of vcpkg without vcpkg: cmake -DWORK=... -DVERSION=... -DTARBALL=... -DPORT=portfile.cmake -P vcpkg.cmake
# Each function does for one release build what that of vcpkg does; the port may call no other.
set(CURRENT_PACKAGES_DIR ${WORK}/packages)
set(PORT_NAME leat)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_check_linkage)
endfunction()

function(vcpkg_download_distfile result)
  cmake_parse_arguments(PARSE_ARGV 1 file "" "FILENAME;SHA512" URLS)
  get_filename_component(name ${TARBALL} NAME)
  file(SHA512 ${TARBALL} sum)
  if(NOT file_FILENAME STREQUAL name OR NOT file_SHA512 STREQUAL sum OR NOT file_URLS)
    message(FATAL_ERROR "The port names another tarball than ${TARBALL}")
  endif()
  set(${result} ${TARBALL} PARENT_SCOPE)
endfunction()

function(vcpkg_extract_source_archive result)
  cmake_parse_arguments(PARSE_ARGV 1 source "" ARCHIVE "")
  file(ARCHIVE_EXTRACT INPUT ${source_ARCHIVE} DESTINATION ${WORK}/source)
  set(${result} ${WORK}/source/leat-${VERSION} PARENT_SCOPE)
endfunction()

function(vcpkg_check_features)
  cmake_parse_arguments(PARSE_ARGV 0 check "" OUT_FEATURE_OPTIONS FEATURES)
  set(options)
  while(check_FEATURES)
    list(POP_FRONT check_FEATURES feature option)
    list(APPEND options -D${option}=ON)
  endwhile()
  set(${check_OUT_FEATURE_OPTIONS} ${options} PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 configure "" SOURCE_PATH OPTIONS)
  run(${CMAKE_COMMAND} -S ${configure_SOURCE_PATH} -B ${WORK}/source/leat-${VERSION}/build -DCMAKE_BUILD_TYPE=None
      -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} -DCMAKE_INSTALL_LIBDIR=lib ${configure_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
  run(${CMAKE_COMMAND} --build ${WORK}/source/leat-${VERSION}/build --target leat_installed)
  run(${CMAKE_COMMAND} --install ${WORK}/source/leat-${VERSION}/build)
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 fix "" CONFIG_PATH "")
  file(COPY ${CURRENT_PACKAGES_DIR}/${fix_CONFIG_PATH}/ DESTINATION ${CURRENT_PACKAGES_DIR}/share/${PORT_NAME})
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/${fix_CONFIG_PATH})
endfunction()

function(vcpkg_fixup_pkgconfig)
endfunction()

function(vcpkg_copy_tools)
  cmake_parse_arguments(PARSE_ARGV 0 copy AUTO_CLEAN "" TOOL_NAMES)
  file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/tools/${PORT_NAME})
  foreach(tool ${copy_TOOL_NAMES})
    file(RENAME ${CURRENT_PACKAGES_DIR}/bin/${tool} ${CURRENT_PACKAGES_DIR}/tools/${PORT_NAME}/${tool})
  endforeach()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 copyright "" "" FILE_LIST)
  file(COPY_FILE ${copyright_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT_NAME}/copyright)
endfunction()

include(${PORT})
