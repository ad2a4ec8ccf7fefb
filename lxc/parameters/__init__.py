"""Parameters apart from models: read, listed, renamed, cast, and converted from others."""
