# A STUB of 3D Slicer's build tree, for find_package(Slicer): enough to configure, build and install this extension
# without Slicer. It proves that the CMake files are consistent and complete; it proves nothing about Slicer itself.
# Its macros have the real ones' names, keywords and checks and fail on what those fail on.

set(Slicer_STUB_DIR ${CMAKE_CURRENT_LIST_DIR})
set(Slicer_VERSION 5.12)
set(Slicer_USE_FILE ${Slicer_STUB_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${Slicer_STUB_DIR}/GenerateConfig.cmake)
set(Slicer_EXTENSION_CPACK ${Slicer_STUB_DIR}/CPack.cmake)
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-${Slicer_VERSION}/qt-scripted-modules)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR ${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
set(Slicer_FOUND TRUE)
