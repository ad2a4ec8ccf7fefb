"""What `bench/cpu.py` is made of: cases, contenders, the turns, the table."""
