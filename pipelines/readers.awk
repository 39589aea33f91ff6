#!/usr/bin/awk -f
# Artificial readers of real articles: readers.awk -v users=U -v reads=N -v clicks=FILE -v elements=FILE ARTICLES
#
# ARTICLES has id, category, title and body between tabs. Nobody read them: the clicks are made up. Each of U readers
# likes two categories and reads N articles, none twice, one after the other: in one half of the cases one that shares a
# rare name (held by 2 to 15 articles) with the article before, otherwise any, nine times of ten of a category liked.
#
# The elements are what a few rules find, since a NER tool is no part of this: years, months and weekdays are times; a
# capitalised run after Mr, Mrs, Ms, Sir, Lord or Lady is a person, one after in, at, from or near a location; two
# capitals or more in a row an organization; all other capitalised runs within a sentence are keywords.
BEGIN {
  FS = "\t"
  state = 20050101
  split("January February March April May June July August September October November December " \
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", words, " ")
  for (w in words) is_time[words[w]] = 1
  split("Mr Mrs Ms Sir Lord Lady", words, " ")
  for (w in words) is_title[words[w]] = 1
  split("in at from near", words, " ")
  for (w in words) is_in[words[w]] = 1
}

# Lehmer's generator: the same numbers from every awk.
function below(n) {
  state = (16807 * state) % 2147483647
  return int(state / 2147483647 * n)
}

# The run that has just ended is an element of this article.
function take(kind) {
  if (run == "") return
  if ((kind, run) in seen) { run = ""; return }
  seen[kind, run] = 1
  found[kind] = found[kind] (found[kind] == "" ? "" : ",") "\"" run "\""
  if (kind != "time") names[++name_count] = run
  run = ""
}

function extract(text,    count, token, i, word, before, opens, ends, kind) {
  count = split(text, token, " ")
  opens = 1  # a sentence: its first word has a capital anyway
  before = ""
  run = kind = ""
  for (i = 1; i <= count; ++i) {
    word = token[i]
    ends = word ~ /[.!?:]["')]*$/
    gsub(/^[^A-Za-z0-9]+|('s)?[^A-Za-z0-9]+$|'s$/, "", word)
    if (word ~ /^(19|20)[0-9][0-9]$/ || word in is_time) { take(kind); run = word; take("time") }
    else if (word in is_title) { take(kind); opens = 0 }
    else if (word ~ /^[A-Z][A-Z]+$/) { take(kind); run = word; take("organization") }
    else if (word ~ /^[A-Z][A-Za-z]+$/ && (!opens || run != "")) {
      if (run == "") kind = before in is_title ? "person" : before in is_in ? "location" : "keywords"
      run = run (run == "" ? "" : " ") word
    } else take(kind)
    if (ends || token[i] ~ /,$/) take(kind)
    before = word
    if (!(word in is_title)) opens = ends
  }
  take(kind)
}

NF == 4 && $1 != "id" {
  id[++articles] = $1
  of_category[$2] = of_category[$2] " " articles
  if (!($2 in number)) { number[$2] = categories; category[categories++] = $2 }
  split("", found)
  split("", seen)
  name_count = 0
  extract($4)
  line = "{\"id\":\"" $1 "\""
  split("time person organization location keywords", kinds, " ")
  for (k = 1; k <= 5; ++k) if (found[kinds[k]] != "") line = line ",\"" kinds[k] "\":[" found[kinds[k]] "]"
  print line "}" > elements
  for (n = 1; n <= name_count; ++n)
    if (!((articles, names[n]) in holds)) {
      holds[articles, names[n]] = 1
      holders[names[n]] = holders[names[n]] " " articles
      names_of[articles] = names_of[articles] "\t" names[n]
    }
}

# An article that shares a rare name with this one and was not read yet; 0 if there is none.
function related(article,    count, name, n, tries, which, member) {
  count = split(substr(names_of[article], 2), name, "\t")
  for (tries = 0; count > 0 && tries < 20; ++tries) {
    n = split(holders[name[1 + below(count)]], which, " ")
    if (n < 2 || n > 15) continue
    member = which[1 + below(n)]
    if (!((reader, member) in read)) return member
  }
  return 0
}

function any(    group, n, member) {
  group = below(10) < 9 ? liked[below(2)] : below(categories)
  n = split(of_category[category[group]], member, " ")
  return member[1 + below(n)]
}

END {
  print "user\tarticle\ttime_s" > clicks
  for (reader = 1; reader <= users; ++reader) {
    liked[0] = below(categories)
    liked[1] = (liked[0] + 1 + below(categories - 1)) % categories
    time = 1104537600 + below(7 * 86400)  # in the first week of 2005
    last = 0
    for (i = 0; i < reads; ++i) {
      next_one = last && below(2) ? related(last) : 0
      while (!next_one || (reader, next_one) in read) next_one = any()
      read[reader, next_one] = 1
      time += below(2) ? 60 + below(1200) : 3600 + below(2 * 86400)
      print "R" reader "\t" id[next_one] "\t" time > clicks
      last = next_one
    }
  }
}
