#!/usr/bin/awk -f
# From one eval-rank table per cause (OUT/<cause>/metrics.txt, made with --compare FULL) to one line per cause: by how
# much the AUC of the model FULL is above each ablation's, with the interval of the paired difference.
#
#   matrix.awk -v full=KRED -v parts=KGAT,context OUT/*/metrics.txt    where the ablations are "KRED w/o KGAT", ...
BEGIN {
  count = split(parts, part, ",")
  for (p = 1; p <= count; ++p) column[full " w/o " part[p]] = p
}
FNR == 1 {
  depth = split(FILENAME, folder, "/")
  causes[++n] = folder[depth - 1]
  at = 0
}
/^minus / { for (i = 1; i <= NF; ++i) if ($i == "auc") at = NF - i; next }
!at { next }
NF <= at { at = 0; next }  # the end of the differences
/ % from/ { low[n, now] = $(NF - at); next }
/ % to/ { high[n, now] = $(NF - at); next }
/^  / { next }
{
  name = $0
  sub(/  .*/, "", name)
  now = column[name]
  value[n, now] = $(NF - at)
}
END {
  printf "%-14s", "planted cause"
  for (p = 1; p <= count; ++p) printf "  %-27s", full " - w/o " part[p]
  print ""
  for (i = 1; i <= n; ++i) {
    printf "%-14s", causes[i]
    for (p = 1; p <= count; ++p)
      printf "  %-27s", sprintf("%+.4f [%+.4f, %+.4f]", -value[i, p], -high[i, p], -low[i, p])
    print ""
  }
}
