# One horizontal band of the Mandelbrot set, as rows of 24-bit pixels from the bottom up, which is how a BMP file has them.
# The bytes come out as escapes (\0 .. \377) for bash's printf: awks differ in what "%c" makes of 0 and of more than 127.
#   awk -v piece=0 -v pieces=24 -f mandelbrot.awk
BEGIN {
  width = 720; height = 480; limit = 250
  rows = height / pieces
  for (row = piece * rows; row < (piece + 1) * rows; row++) {
    cy = -1.15 + 2.3 * (row + 0.5) / height
    line = ""
    for (column = 0; column < width; column++) {
      cx = -2.35 + 3.45 * (column + 0.5) / width
      x = y = xx = yy = n = 0
      while (xx + yy <= 16 && n < limit) {
        y = 2 * x * y + cy; x = xx - yy + cx
        xx = x * x; yy = y * y
        n++
      }
      line = line (n == limit ? "\\0\\0\\0" : colour(n + 1 - log(log(xx + yy) / 2) / log(2)))
    }
    printf "%s", line
  }
}

# Blue, green, red for a point that escaped after so many steps.
function colour(steps,    t) {
  t = steps < 1 ? 0 : log(steps) / log(limit)
  return sprintf("\\%o\\%o\\%o", shade(1.9 * t), shade(1.9 * t - 0.35), shade(2.2 * t - 0.75))
}

function shade(v) { return v <= 0 ? 0 : v >= 1 ? 255 : int(255 * v) }
