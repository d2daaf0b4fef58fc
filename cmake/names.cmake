# SPDX-License-Identifier: MIT
# In an archive a hidden name is still a name, which may meet one of the program that links it. So each inner name, say
# budget_take, is leat__budget_take to the linker, and stays budget_take in the source and in a debugger. The names are those
# that the inner headers declare; the test `symbols` finds one that was missed.
#
# <build>/names/<room>.h has the names of this room and of those before it. Each source includes that of its room first: so a
# new name compiles anew what sees its room, and not everything.

# The names that the header declares for other files.
function(leat_declared header result)
  file(READ ${header} text)
  string(REPLACE "[" "(" text "${text}") # a list would keep together what is between brackets
  string(REPLACE "]" ")" text "${text}")
  string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" "" text "${text}")
  string(REGEX REPLACE "#([^\n\\]|\\\\.)*\n" "\n" text "${text}")
  while(text MATCHES "{")
    string(REGEX REPLACE "{[^{}]*}" ";" text "${text}")
  endwhile()
  set(names)
  foreach(declaration ${text})
    string(STRIP "${declaration}" declaration)
    if(declaration MATCHES "^extern ")
      string(REGEX REPLACE "\\([^()]*\\)" "" declaration "${declaration}")
      string(REPLACE "," ";" declaration "${declaration}")
      foreach(one ${declaration})
        string(REGEX MATCH "[a-z_0-9]+[ \n]*$" one "${one}")
        list(APPEND names ${one})
      endforeach()
    elseif(NOT declaration MATCHES "^(static|typedef) " AND declaration MATCHES "^[A-Za-z][A-Za-z_0-9 *\n]*[ *\n]([a-z_0-9]+)\\(")
      list(APPEND names ${CMAKE_MATCH_1})
    endif()
  endforeach()
  list(FILTER names EXCLUDE REGEX "^leat_")
  set(${result} ${names} PARENT_SCOPE)
endfunction()

# clang warns if a static function has a name that a room below declares, and rightly leaves its name alone.
set(LEAT_NAMES_BEFORE "#pragma GCC diagnostic ignored \"-Wpragmas\"\n")
foreach(room ${LEAT_ROOMS})
  file(GLOB headers CONFIGURE_DEPENDS src/${room}/*.h src/${room}/*/*.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
  set(lines)
  foreach(header ${headers})
    leat_declared(${header} names)
    foreach(name ${names})
      string(APPEND lines "#pragma redefine_extname ${name} leat__${name}\n")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT names/${room}.h CONTENT "${LEAT_NAMES_BEFORE}${lines}" @ONLY)
  set(LEAT_NAMES_BEFORE "#include \"${room}.h\"\n")
  set(LEAT_NAMES ${PROJECT_BINARY_DIR}/names/${room}.h)
  set(sources ${LEAT_SOURCES})
  list(FILTER sources INCLUDE REGEX "(^|/)src/${room}/")
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-include;${LEAT_NAMES}")
endforeach()
