"""The targets that LLVM compiles for."""
