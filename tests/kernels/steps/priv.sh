# priv: plaintext of one process in events of another
/usr/bin/python3 tests/kernels/priv.py
