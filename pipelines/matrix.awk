#!/usr/bin/awk -f
# From one eval-rank table per cause (OUT/<cause>/metrics.txt, made with --compare KRED) to one line per cause: by how
# much KRED's AUC is above each ablation's, with the interval of the paired difference.
FNR == 1 {
  count = split(FILENAME, part, "/")
  causes[++n] = part[count - 1]
  paired = 0
}
/^minus / { paired = 1 }
paired && /^KRED w\/o / {
  name = $3
  value[n, name] = $4
}
paired && name && / % from/ { low[n, name] = $4 }
paired && name && / % to/ { high[n, name] = $4; name = "" }
END {
  split("KGAT context distillation", ablations, " ")
  printf "%-14s", "planted cause"
  for (a = 1; a <= 3; ++a) printf "  %-27s", "KRED - w/o " ablations[a]
  print ""
  for (i = 1; i <= n; ++i) {
    printf "%-14s", causes[i]
    for (a = 1; a <= 3; ++a) {
      k = i SUBSEP ablations[a]
      printf "  %-27s", sprintf("%+.4f [%+.4f, %+.4f]", -value[k], -high[k], -low[k])
    }
    print ""
  }
}
