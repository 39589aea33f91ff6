#!/usr/bin/env bash
# Ingest speed on files shaped like MIND's (lengths as measured on the real ones) and Adressa's (as its descriptions
# have it): prints MB/s of one core.
# Usage: bench/ingest.sh [ARTICLES [IMPRESSIONS [VIEWS]]]; programs are taken from build/bin, or from BIN.
set -euo pipefail
articles=${1:-60000} impressions=${2:-200000} views=${3:-200000}
bin=${BIN:-$(dirname "$0")/../build/bin}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A linear congruential generator of our own, so that every awk writes the same files.
random='function below(n) { x = (x * 16807) % 2147483647; return int(x / 2147483647 * n) }
        function zipf(n) { return int(exp(log(n) * below(1000000) / 1000000)) }
        function id(i) { return "N" 10000 + i * 7919 % 131072 }  # 1 to 131071, each another, none telling its rank
        BEGIN { x = 1 }'

awk -v n="$articles" "$random"'
  function words(k,   i, s) { s = "word" zipf(20000); for (i = 1; i < k; ++i) s = s " word" zipf(20000); return s }
  function entities(k,   i, s, e) {
    for (i = 0; i < k; ++i) {
      e = zipf(60000)
      s = s (i ? ", " : "") "{\"Label\": \"Entity Number " e "\", \"Type\": \"" substr("OGPUCNFMSWEL", below(12) + 1, 1)
      s = s "\", \"WikidataId\": \"Q" e "\", \"Confidence\": 0." 900 + below(100)
      s = s ", \"OccurrenceOffsets\": [" below(60) "], \"SurfaceForms\": [\"Number " e "\"]}"
    }
    return "[" s "]"
  }
  BEGIN {
    for (i = 1; i <= n; ++i)
      print id(i) "\tcategory" below(18) "\tsubcategory" below(280) "\t" words(11) "\t" words(34) \
        "\thttps://news.example/articles/" i ".html\t" entities(below(3)) "\t" entities(below(5))
  }' > "$folder/news.tsv"

awk -v n="$articles" -v m="$impressions" "$random"'
  BEGIN {
    for (i = 1; i <= m; ++i) {
      line = i "\tU" zipf(100000) "\t11/" 9 + below(6) "/2019 " 1 + below(12) ":" 10 + below(50) ":" 10 + below(50)
      line = line (below(2) ? " AM\t" : " PM\t")
      for (k = below(66); k > 0; --k) line = line id(zipf(n)) (k > 1 ? " " : "")
      line = line "\t"
      for (k = 1 + below(73); k > 0; --k) line = line id(zipf(n)) (below(25) ? "-0" : "-1") (k > 1 ? " " : "")
      print line
    }
  }' > "$folder/behaviors.tsv"

# One line in four views an article; all of them carry a profile.
awk -v n="$views" "$random"'
  function profile(k,   i, s) {
    for (i = 0; i < k; ++i) {
      s = s (i ? "," : "") "{\"item\":\"item number " zipf(9000) "\",\"groups\":[{\"count\":" 1 + below(9) ",\"group\":\""
      s = s (below(2) ? "taxonomy" : below(2) ? "entity" : "person") "\",\"weight\":0." 100 + below(900) "}]}"
    }
    return "[" s "]"
  }
  BEGIN {
    for (i = 1; i <= n; ++i) {
      line = "{\"eventId\":" 100000000 + i ",\"city\":\"trondheim\",\"activeTime\":" below(900) ",\"url\":\"http://news.example/"
      line = line i ".ece\",\"referrerHostClass\":\"direct\",\"region\":\"trondelag\",\"time\":" 1483225200 + i
      line = line ",\"userId\":\"cx:" zipf(100000) * 7919 "\",\"sessionStart\":" (below(5) ? "false" : "true")
      line = line ",\"deviceType\":\"Mobile\",\"sessionStop\":false,\"country\":\"no\",\"os\":\"Android\""
      if (!below(4)) {
        line = line ",\"id\":\"" id(zipf(9000)) "\",\"title\":\"Vær og vind i Trøndelag, en tittel\",\"category1\":\"nyheter|lokalt\""
        line = line ",\"canonicalUrl\":\"http://news.example/a.ece\",\"publishtime\":\"2016-12-31T09:00:00.000Z\""
      }
      print line ",\"profile\":" profile(4 + below(12)) "}"
    }
  }' > "$folder/20170101"

# measure FILE COMMAND...: processor seconds (user and system) and peak memory beside the size of the output.
measure() {
  local file=$1 times
  shift
  TIMEFORMAT='%U %S'
  times=$( { time "$@" -q; } 2>&1 )
  awk -v file="$(basename "$file")" -v bytes="$(stat -c %s "$file")" -v times="$times" 'BEGIN {
    split(times, t, " "); s = t[1] + t[2]
    printf "%-14s %7.1f MB %6.2f s %7.0f MB/s\n", file, bytes / 1e6, s, bytes / 1e6 / s
  }'
}
measure "$folder/news.tsv" "$bin/mind-ingest" --news "$folder/news.tsv" -o "$folder/corpus.nd"
measure "$folder/behaviors.tsv" "$bin/mind-ingest" --behaviors "$folder/behaviors.tsv" --corpus "$folder/corpus.nd" \
  -o "$folder/behavior.nd"
measure "$folder/20170101" "$bin/adressa-ingest" "$folder/20170101" --corpus-out "$folder/articles.nd" --clicks-out "$folder/clicks.nd"
