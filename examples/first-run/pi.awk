# The integral of 4 / (1 + x^2) over one piece of 0..1, by the midpoint rule; the pieces add up to pi.
#   awk -v piece=0 -v pieces=8 -f pi.awk
BEGIN {
  steps = 4000000
  for (i = piece * steps / pieces; i < (piece + 1) * steps / pieces; i++) {
    x = (i + 0.5) / steps
    sum += 4 / (1 + x * x)
  }
  printf "%.15f\n", sum / steps
}
