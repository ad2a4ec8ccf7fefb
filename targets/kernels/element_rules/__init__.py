"""What every elementwise op does to one element."""
