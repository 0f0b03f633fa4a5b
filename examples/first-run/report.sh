#!/bin/bash
# report.sh: what the pieces add up to, and a small copy of the picture for the terminal
set -eu -o pipefail
pieces=results/pieces

awk '{ sum += $1 } END { printf "pi          %.12f  from %d pieces of an integral\n", sum, NR }' $pieces/*.pi
awk '{ sum += $1 } END { printf "primes      %d below 400,000, counted in %d ranges\n", sum, NR }' $pieces/*.primes
whole=$(wc -c < results/text.txt)
for level in 1 2 3 4 5 6 7 8 9; do
  awk -v level="$level" -v whole="$whole" '{ printf "gzip -%d     %d of %d bytes  (%.1f %%)\n", level, $1, whole, 100 * $1 / whole }' $pieces/$level.gzip
done
printf 'picture     sha256 %s\n\n' "$(sha256sum < results/mandelbrot.bmp | cut -c 1-16)..."

# One character for each 10 by 20 pixels. The rows of the file come from the bottom up.
od -An -v -tu1 -j54 results/mandelbrot.bmp | awk '
  { for (i = 1; i <= NF; i++) {
      if (byte % 3 == 1 && int(byte / 3) % 10 == 5 && row % 20 == 10) {
        line = line ($i > 200 ? "+" : $i > 120 ? ":" : $i > 0 || blue > 0 ? (blue > 165 ? "." : " ") : "#")
      }
      blue = $i
      if (++byte == 720 * 3) { if (row++ % 20 == 10) rows[++count] = line; byte = 0; line = "" }
  } }
  END { for (i = count; i > 0; i--) print "  " rows[i] }'
