"""The files of a bundle."""

from collections.abc import Mapping

from lxc.targets.bundle.build_files import cmake_text, pkg_config_text
from lxc.targets.bundle.code import BundleCode
from lxc.targets.bundle.example import example_text
from lxc.targets.bundle.face import Contents, additions
from lxc.targets.llvm.c_abi import ABI_VERSION, Sources, render
from lxc.targets.llvm.link import link_archive, link_shared
from lxc.targets.llvm.reads import unread_params


def bundle_files(
    code: BundleCode, contents: Contents, sizes: Mapping[str, int]
) -> dict[str, bytes]:
    """Return the files of a bundle by name; its example has dimensions of these `sizes`."""
    name = code.signature.name
    sources = bundle_sources(code, contents)
    arguments = (code.object_bytes, sources, name)
    library = f"lib{name}.so"
    texts = {
        f"{name}.h": sources.header,
        "example.c": example_of(code, contents, sizes),
        "CMakeLists.txt": cmake_text(name, has_file=contents.file is not None),
        f"{name}.pc": pkg_config_text(name, code.target.name, ABI_VERSION),
    }
    files = {file: text.encode("ascii") for file, text in texts.items()}
    files[library] = link_shared(*arguments, compiler=code.compiler, file=library)
    files[f"lib{name}.a"] = link_archive(*arguments, compiler=code.compiler)
    if contents.file is not None:
        files[values_name(name)] = contents.file.content
    return dict(sorted(files.items()))


def bundle_sources(code: BundleCode, contents: Contents) -> Sources:
    """Return the C text of a bundle's library."""
    return render(
        code.signature.name,
        code.signature,
        code.prepared_bytes,
        code.arena_bytes,
        uses_tiles=code.uses_tiles,
        unread=unread_params(code.program),
        additions=additions(code, contents),
    )


def example_of(code: BundleCode, contents: Contents, sizes: Mapping[str, int]) -> str:
    """Return the text of example.c."""
    file = values_name(code.signature.name) if contents.file is not None else None
    brings = contents.check is not None
    return example_text(code.signature, sizes, brings_values=brings, file=file)


def values_name(name: str) -> str:
    """Return the name of the file with the values."""
    return f"{name}.safetensors"
