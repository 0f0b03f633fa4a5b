#!/bin/bash
# bmp-header.sh WIDTH HEIGHT: the 54 bytes before the pixels of a 24-bit BMP picture whose rows are a multiple of 4 bytes
set -eu
little_endian() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 24)))"; }
pixels=$(($1 * $2 * 3))
printf BM
for number in $((54 + pixels)) 0 54 40 "$1" "$2" $((1 + (24 << 16))) 0 $pixels 2835 2835 0 0; do
  little_endian "$number"
done
