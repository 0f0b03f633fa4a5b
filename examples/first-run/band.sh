#!/bin/bash
# band.sh PIECE PIECES: one band of the picture, as bytes on stdout
set -eu -o pipefail
escapes=$(awk -v piece="$1" -v pieces="$2" -f mandelbrot.awk)
printf "$escapes"
