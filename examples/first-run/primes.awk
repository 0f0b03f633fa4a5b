# Counts the primes in the 50,000 numbers from `first` on.
#   awk -v first=100000 -f primes.awk
BEGIN {
  last = first + 50000 - 1
  for (n = first < 2 ? 2 : first; n <= last; n++) {
    prime = 1
    for (d = 2; d * d <= n; d++) if (n % d == 0) { prime = 0; break }
    count += prime
  }
  print count + 0
}
