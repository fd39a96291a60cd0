# Toolchain file: the extension is Python only, so the stub build needs no C or C++ compiler. project() asks for both.

foreach(_language C CXX)
  set(CMAKE_${_language}_COMPILER ${CMAKE_COMMAND})
  set(CMAKE_${_language}_COMPILER_FORCED TRUE)
  set(CMAKE_${_language}_COMPILER_ID_RUN TRUE)
  set(CMAKE_${_language}_COMPILER_WORKS TRUE)
endforeach()
