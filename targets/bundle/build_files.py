"""What build systems read of a bundle: a CMake project and a file for pkg-config."""

CMAKE = """\
# The targets {name} (shared) and {name}_static, for add_subdirectory from another project.
# By itself, the folder builds example.c and runs it as a test. Installed are header,
# libraries, values and a file for pkg-config.
cmake_minimum_required(VERSION 3.13)
project({name} LANGUAGES C)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

add_library({name} SHARED IMPORTED GLOBAL)
set_target_properties({name} PROPERTIES
  IMPORTED_LOCATION "${{CMAKE_CURRENT_SOURCE_DIR}}/lib{name}.so"
  INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_SOURCE_DIR}}")

add_library({name}_static STATIC IMPORTED GLOBAL)
set_target_properties({name}_static PROPERTIES
  IMPORTED_LOCATION "${{CMAKE_CURRENT_SOURCE_DIR}}/lib{name}.a"
  INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_SOURCE_DIR}}"
  INTERFACE_LINK_LIBRARIES "Threads::Threads;m;${{CMAKE_DL_LIBS}}")

include(GNUInstallDirs)
set(packages "${{CMAKE_INSTALL_LIBDIR}}/pkgconfig")
file(RELATIVE_PATH headers "/${{packages}}" "/${{CMAKE_INSTALL_INCLUDEDIR}}")
file(READ {name}.pc package)
string(REPLACE "includedir=\\${{folder}}" "includedir=\\${{folder}}/${{headers}}"
  package "${{package}}")
string(REPLACE "libdir=\\${{folder}}" "libdir=\\${{folder}}/.." package "${{package}}")
file(WRITE "${{CMAKE_CURRENT_BINARY_DIR}}/{name}.pc" "${{package}}")
install(FILES {name}.h DESTINATION "${{CMAKE_INSTALL_INCLUDEDIR}}")
install(PROGRAMS lib{name}.so DESTINATION "${{CMAKE_INSTALL_LIBDIR}}")
install(FILES lib{name}.a DESTINATION "${{CMAKE_INSTALL_LIBDIR}}")
install(FILES "${{CMAKE_CURRENT_BINARY_DIR}}/{name}.pc" DESTINATION "${{packages}}")
{values}
if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  enable_testing()
  foreach(kind {name} {name}_static)
    add_executable(example_${{kind}} example.c)
    target_link_libraries(example_${{kind}} PRIVATE ${{kind}})
    add_test(NAME example_${{kind}} COMMAND example_${{kind}}
      WORKING_DIRECTORY "${{CMAKE_CURRENT_SOURCE_DIR}}")
  endforeach()
endif()
"""

VALUES = """\
install(FILES {name}.safetensors DESTINATION "${{CMAKE_INSTALL_DATADIR}}/{name}")
"""

PKG_CONFIG = """\
folder=${{pcfiledir}}
includedir=${{folder}}
libdir=${{folder}}

Name: {name}
Description: The model {name}, compiled for {target}
Version: {version}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -l{name}
Libs.private: -pthread -lm -ldl
"""


def cmake_text(name: str, *, has_file: bool) -> str:
    """Return CMakeLists.txt; `has_file` tells whether values lie in a file of their own."""
    values = VALUES.format(name=name) if has_file else ""
    return CMAKE.format(name=name, values=values)


def pkg_config_text(name: str, target: str, version: int) -> str:
    """Return NAME.pc; `version` is that of the interface."""
    return PKG_CONFIG.format(name=name, target=target, version=version)
