# procsup_small_program(NAME [DESTINATION dir] SOURCES file...): a program of which many run, or that must not fail: no C library, no heap, nothing
# that could be written but the stack. The same in every preset: sanitizers need what is not there.
function(procsup_small_program name)
  cmake_parse_arguments(SMALL "" "DESTINATION" "SOURCES" ${ARGN})
  if(NOT SMALL_DESTINATION)
    set(SMALL_DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/procsupd)
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|aarch64|arm64)$")
    message(STATUS "${name}: no start-up code for ${CMAKE_SYSTEM_PROCESSOR}")
    return()
  endif()
  add_executable(${name} ${SMALL_SOURCES} ${PROJECT_SOURCE_DIR}/daemon/keeper/start.S)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:
    -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector -fno-asynchronous-unwind-tables -fno-pie
    -fno-sanitize=all -fno-profile-arcs -fno-test-coverage>)
  target_link_options(${name} PRIVATE
    -nostdlib -static -fno-sanitize=all -Wl,-z,noseparate-code -Wl,--gc-sections)
  target_link_libraries(${name} PRIVATE procsup_warnings)
  install(TARGETS ${name} DESTINATION ${SMALL_DESTINATION})
endfunction()
