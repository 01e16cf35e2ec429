"""Content encodings that can be flushed after every event.

gzip and deflate are Python's own; br and zstd are taken from the shared
libraries that the tools link anyway (libbrotlienc.so.1, libzstd.so.1).
Each object has add(bytes) -> bytes, which ends on a flush, and end() -> bytes.
"""
import ctypes
import zlib


class Identity:
    def add(self, data):
        return data

    def end(self):
        return b""


class Zlib:
    def __init__(self, wbits):
        self.z = zlib.compressobj(6, zlib.DEFLATED, wbits)

    def add(self, data):
        return self.z.compress(data) + self.z.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self.z.flush(zlib.Z_FINISH)


class Brotli:
    FLUSH, FINISH = 1, 2

    def __init__(self):
        self.lib = ctypes.CDLL("libbrotlienc.so.1")
        self.lib.BrotliEncoderCreateInstance.restype = ctypes.c_void_p
        self.lib.BrotliEncoderTakeOutput.restype = ctypes.c_void_p
        self.state = ctypes.c_void_p(self.lib.BrotliEncoderCreateInstance(None, None, None))

    def _step(self, op, data):
        left = ctypes.c_size_t(len(data))
        keep = ctypes.create_string_buffer(data, max(len(data), 1))
        at = ctypes.c_void_p(ctypes.addressof(keep))
        none = ctypes.c_size_t(0)
        out = b""
        while True:
            if not self.lib.BrotliEncoderCompressStream(
                    self.state, op, ctypes.byref(left), ctypes.byref(at),
                    ctypes.byref(none), None, None):
                raise ValueError("brotli")
            n = ctypes.c_size_t(0)
            p = self.lib.BrotliEncoderTakeOutput(self.state, ctypes.byref(n))
            if n.value:
                out += ctypes.string_at(p, n.value)
            if not left.value and not self.lib.BrotliEncoderHasMoreOutput(self.state):
                return out

    def add(self, data):
        return self._step(self.FLUSH, data)

    def end(self):
        out = self._step(self.FINISH, b"")
        self.lib.BrotliEncoderDestroyInstance(self.state)
        return out


class Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""
    _fields_ = [("p", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


class Zstd:
    FLUSH, END = 1, 2

    def __init__(self):
        self.lib = ctypes.CDLL("libzstd.so.1")
        self.lib.ZSTD_createCCtx.restype = ctypes.c_void_p
        self.lib.ZSTD_compressStream2.restype = ctypes.c_size_t
        self.ctx = ctypes.c_void_p(self.lib.ZSTD_createCCtx())

    def _step(self, op, data):
        keep = ctypes.create_string_buffer(data, max(len(data), 1))
        src = Buffer(ctypes.addressof(keep), len(data), 0)
        room = ctypes.create_string_buffer(1 << 16)
        out = b""
        while True:
            dst = Buffer(ctypes.addressof(room), len(room), 0)
            left = self.lib.ZSTD_compressStream2(self.ctx, ctypes.byref(dst), ctypes.byref(src), op)
            if self.lib.ZSTD_isError(ctypes.c_size_t(left)):
                raise ValueError("zstd")
            out += room.raw[:dst.pos]
            if left == 0 and src.pos == src.size:
                return out

    def add(self, data):
        return self._step(self.FLUSH, data)

    def end(self):
        out = self._step(self.END, b"")
        self.lib.ZSTD_freeCCtx(self.ctx)
        return out


def zstd_decode(data, most=1 << 26):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(most)
    n = lib.ZSTD_decompress(room, ctypes.c_size_t(most), data, ctypes.c_size_t(len(data)))
    if lib.ZSTD_isError(ctypes.c_size_t(n)):
        raise ValueError("zstd")
    return room.raw[:n]


MAKERS = {
    "identity": Identity,
    "gzip": lambda: Zlib(31),
    "deflate": lambda: Zlib(15),
    "raw-deflate": lambda: Zlib(-15),  # what some servers call deflate
    "br": Brotli,
    "zstd": Zstd,
}


def choose(accept, preferred=("gzip", "br", "zstd", "deflate")):
    """The first encoding of the client's Accept-Encoding list that we have."""
    offered = []
    for item in accept.split(","):
        name, _, params = item.strip().partition(";")
        if params.replace(" ", "") not in ("q=0", "q=0.0"):
            offered.append(name.strip().lower())
    for name in preferred:
        if name in offered or "*" in offered:
            return name
    return "identity"


if __name__ == "__main__":  # encode.py CODING <PLAIN >CODED
    import sys
    maker = MAKERS[sys.argv[1]]()
    sys.stdout.buffer.write(maker.add(sys.stdin.buffer.read()) + maker.end())
