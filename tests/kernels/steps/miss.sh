# miss: events that the kernel skipped
/usr/bin/python3 tests/kernels/miss.py
