"""A model as a folder for programs in C: header, libraries, values, build files."""
