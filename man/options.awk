# Writes the OPTIONS list of a man page from what the tool says of itself:
#   build/bin/kred-train --print-options | awk -f man/options.awk
# The page is then edited by hand; tests/tools/contract.bats sees when options, arguments or defaults drift apart.
BEGIN { FS = "\t"; print ".Bl -tag -width Ds" }
{
  line = ".It"
  if ($2 != "") line = line " Fl " substr($2, 2) " ,"
  line = line " Fl " substr($1, 2)
  if ($3 != "") line = line " Ar " $3
  print line
  help = toupper(substr($5, 1, 1)) substr($5, 2)
  sub(/\.$/, "", help)
  print help "."
  if ($4 != "") print "Default: " $4 "."
}
END { print ".El" }
