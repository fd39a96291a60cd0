# STUB: writes the extension's meta-information as CMake knows it, one KEY=value a line, for the tests to compare.

set(_lines "NAME=${PROJECT_NAME}\n")
foreach(_key HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if(NOT DEFINED EXTENSION_${_key})
    message(FATAL_ERROR "EXTENSION_${_key} is not set")
  endif()
  string(APPEND _lines "${_key}=${EXTENSION_${_key}}\n")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/extension.txt "${_lines}")
