"""Read pictures with rapidocr-onnxruntime (PP-OCRv4); only the peers' Python has it.

``.venv-peers/bin/python bench/_rapidocr.py < LIST``: a line ``form<TAB>path`` each; prints a JSON
line a picture with the texts that it read (separators dropped) and the milliseconds, one thread.
"""

import json
import sys
import time

import cv2
import numpy as np
from rapidocr_onnxruntime import (  # type: ignore[import-not-found] # in the peers' environment alone
    RapidOCR,
)

SEPARATORS = str.maketrans("", "", " ·.•・-:,|_'\"")


def main() -> None:
    """Read the list from standard input."""
    cv2.setNumThreads(1)
    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    for line in sys.stdin:
        form, path = line.rstrip("\n").split("\t")
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        began_s = time.perf_counter()
        if form == "crop":
            found, _ = engine(picture, use_det=False, use_cls=False, use_rec=True)
            texts = [row[0] for row in found or []]
        else:
            found, _ = engine(picture)
            texts = [row[1] for row in found or []]
        took_ms = (time.perf_counter() - began_s) * 1000
        clean = [text.translate(SEPARATORS).upper() for text in texts]
        print(json.dumps({"texts": clean, "ms": round(took_ms, 2)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
