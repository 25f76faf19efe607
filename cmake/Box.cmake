# One static library per folder ("box"). The boxes a box may use are written here and nowhere else;
# a dependency that is not listed stops the configure step.
set(box_common_may_use "")
set(box_conf_may_use common)
set(box_engine_may_use common conf)
set(box_loop_may_use common)
set(box_logger_may_use common)
set(box_disposer_may_use common)
set(box_broker_core_may_use common)
set(box_broker_may_use common disposer broker_core)
set(box_host_may_use common conf engine loop logger disposer)
set(box_control_may_use common conf engine)
set(box_ctl_may_use common)

add_library(procsup_warnings INTERFACE)
target_compile_options(procsup_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Werror=switch)

# What most files include, compiled once for all libraries and once for all test programs. Not in every preset, so that
# an include that a file lacks is found.
function(procsup_precompile target owner)
  if(NOT PROCSUP_PCH)
    return()
  endif()
  if(NOT target STREQUAL owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <unordered_map> <utility>
    <variant> <vector> ${ARGN})
endfunction()

# procsup_box(NAME SOURCES file... [USES box...] [LIBRARIES target...])
function(procsup_box name)
  cmake_parse_arguments(BOX "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  foreach(used IN LISTS BOX_USES)
    if(NOT used IN_LIST box_${name}_may_use)
      message(FATAL_ERROR "${name}/ may not use ${used}/ (see cmake/Box.cmake)")
    endif()
  endforeach()
  add_library(${name} STATIC ${BOX_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${BOX_USES} PRIVATE procsup_warnings ${BOX_LIBRARIES})
  procsup_precompile(${name} common)
endfunction()

# procsup_unit_tests(BOX file...): the box's *_test.cc files as one program, one CTest entry each test.
function(procsup_unit_tests box)
  if(NOT PROCSUP_TESTS)
    return()
  endif()
  add_executable(${box}_test ${ARGN})
  target_link_libraries(${box}_test PRIVATE ${box} procsup_warnings GTest::gtest_main GTest::gmock)
  procsup_precompile(${box}_test common_test <gmock/gmock.h> <gtest/gtest.h>)
  gtest_discover_tests(${box}_test DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 60)
endfunction()
