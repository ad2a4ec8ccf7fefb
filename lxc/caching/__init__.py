"""Code that was compiled before, kept in a folder."""
