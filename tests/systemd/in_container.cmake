# Tests of procsupd as a service, each file under a systemd of its own; skipped where none can be had.
foreach(subject units service containment socket watchdog journal user)
  add_test(NAME in_container_${subject}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/in-container
      /usr/bin/python3 -B ${CMAKE_CURRENT_LIST_DIR}/${subject}_test.py)
  set_tests_properties(in_container_${subject} PROPERTIES
    LABELS systemd
    TIMEOUT 120
    RUN_SERIAL ON
    SKIP_RETURN_CODE 77
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
    ENVIRONMENT "PROCSUP_DAEMON=$<TARGET_FILE:procsupd>;PROCSUP_CTL=$<TARGET_FILE:procsupctl>;\
PROCSUP_LIBEXECDIR=${CMAKE_INSTALL_FULL_LIBEXECDIR};PROCSUP_SBINDIR=${CMAKE_INSTALL_FULL_SBINDIR};PROCSUP_BINDIR=${CMAKE_INSTALL_FULL_BINDIR};\
PROCSUP_TEST_PROGRAMS=$<TARGET_FILE_DIR:escape>;\
PROCSUP_UNIT=${PROJECT_BINARY_DIR}/packaging/systemd/procsupd.service;\
PROCSUP_USER_UNIT=${PROJECT_BINARY_DIR}/packaging/systemd/user/procsupd.service;\
PROCSUP_SOCKET_UNIT=${PROJECT_SOURCE_DIR}/packaging/systemd/procsupd.socket")
endforeach()
