/**
 * `nftables_rules look|given|open|close [PORT/PROTOCOL]`: shell and awk that read the ruleset as `nft` lists it.
 *
 * A chain that matters filters what comes in over IPv4 and refuses what it does not name: by its policy, or by a rule
 * for everybody. What such a rule is can be told of plain ones only (`drop`, `reject with …`, `meta l4proto tcp drop`, a
 * jump to a chain with one); so can what a chain accepts (`tcp dport …` with nothing but `ct state new` beside it). The
 * tables of firewalld and iptables are theirs.
 *
 * `look` tells what all these chains accept, as a guard does. `given` says the port again for each rule that
 * lablb has for it. `open` and `close` write what `nft -f` reads: a rule with the comment "lablb" stands right behind the
 * last one of its chain that accepts, where its author would have put it, and before what refuses the rest.
 */
export const NFTABLES_RULES = String.raw`
nftables_rules() {
  nft -sa list ruleset 2>/dev/null | awk -v "act=$1" -v "what=$2" '
# A rule without what is not about whom it is for.
function plain(rule) {
  sub(/ # handle [0-9]+$/, "", rule)
  gsub(/iif(name)? != "lo" /, "", rule)
  gsub(/"[^"]*"/, "\"\"", rule)
  sub(/ comment ""/, "", rule)
  gsub(/counter (name "" )?/, "", rule)
  gsub(/log ((prefix ""|level [a-z]+|flags (tcp )?[a-z,]+|(group|snaplen|queue-threshold) [0-9]+) )*/, "", rule)
  sub(/ct state ([a-z]+,)*new(,[a-z]+)* /, "", rule)
  sub(/ct state [{] ([a-z]+, )*new(, [a-z]+)* [}] /, "", rule)
  return rule
}
function refuses(rule) {
  sub(/^(ip protocol|meta l4proto) (tcp|[{][^}]*tcp[^}]*[}]) /, "", rule)
  return rule ~ /^(drop|reject( with .*)?)$/
}
# The number of the first rule that nothing new comes past: less than 0 if it accepts, 0 if there is none.
function stop(chain, depth,   k, rule, target) {
  for (k = 1; k <= rules[chain] && depth < 9; k++) {
    rule = plain(text[chain, k])
    if (refuses(rule) || rule ~ /^goto /) return k
    if (rule == "accept") return -k
    while (match(rule, /(jump|goto) [^ ,]+/)) {
      target = substr(rule, RSTART + 5, RLENGTH - 5)
      rule = substr(rule, RSTART + RLENGTH)
      if (stop(table[chain] " " target, depth + 1) > 0) return k
    }
  }
  return 0
}
# Fills open[1…count]: "first last protocol" of what a chain accepts; behind is the rule to stand behind.
function read(chain,   end, k, rule, protocols, ports, n, m, i, j, p, q, range) {
  count = behind = 0
  end = stop(chain, 0)
  if (end == 0) end = rules[chain] + 1
  for (k = 1; k < end; k++) {
    rule = plain(text[chain, k])
    if (rule ~ /(^| )(accept|jump)( |,|$)/) behind = k
    sub(/^(ip protocol|meta l4proto) (tcp|udp) /, "", rule)
    protocols = rule ~ /^meta l4proto [{] tcp, udp [}] th dport / ? "tcp udp" : rule ~ /^(tcp|udp) dport / ? substr(rule, 1, 3) : ""
    if (protocols == "" || rule !~ /dport ([0-9-]+|[{] [0-9, -]+ [}]) accept$/) continue
    ports = rule
    sub(/.* dport ([{] )?/, "", ports)
    sub(/ ([}] )?accept$/, "", ports)
    n = split(protocols, p, " ")
    m = split(ports, q, ", ")
    for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) {
      split(q[j], range, "-")
      open[++count] = range[1] " " (range[2] == "" ? range[1] : range[2]) " " p[i]
    }
  }
}
function covered(   i, part) {
  for (i = 1; i <= count; i++) {
    split(open[i], part, " ")
    if (part[3] == protocol && part[1] + 0 <= port && port <= part[2] + 0) return 1
  }
  return 0
}
# What all the chains so far accept, and this one too.
function narrow(   i, j, a, b, first, last, n, both) {
  for (i = 1; i <= common; i++) for (j = 1; j <= count; j++) {
    split(all[i], a, " ")
    split(open[j], b, " ")
    first = a[1] + 0 > b[1] + 0 ? a[1] : b[1]
    last = a[2] + 0 < b[2] + 0 ? a[2] : b[2]
    if (a[3] == b[3] && first + 0 <= last + 0) both[++n] = first " " last " " a[3]
  }
  common = n + 0
  for (i = 1; i <= common; i++) all[i] = both[i]
}
BEGIN { port = substr(what, 1, index(what, "/") - 1) + 0; protocol = substr(what, index(what, "/") + 1) }
$1 == "table" { in_table = $2 " " $3; next }
/^\tchain / { chain = in_table " " $2; table[chain] = in_table; rule = ""; next }
/^\t}/ { chain = ""; next }
chain == "" || /^\t\tcomment / { next }
/^\t\ttype / {
  if (/^\t\ttype filter hook input /) { base[++bases] = chain; drops[chain] = /policy drop;/ }
  next
}
{ sub(/^[ \t]+/, ""); rule = rule (rule == "" ? "" : " ") $0 }
/ # handle [0-9]+$/ {
  text[chain, ++rules[chain]] = rule
  number[chain, rules[chain]] = $NF
  if (rule ~ / comment "lablb" #/ && index(rule, protocol " dport " port " ") == 1) {
    if (act == "given") print what
    if (act == "close") print "delete rule " chain " handle " $NF
  }
  rule = ""
}
END {
  for (i = 1; i <= bases && (act == "look" || act == "open"); i++) {
    chain = base[i]
    split(chain, part, " ")
    if (part[1] != "inet" && part[1] != "ip" || part[2] == "firewalld") continue
    end = stop(chain, 0)
    if (end < 0 || end == 0 && !drops[chain]) continue
    if (chain == "ip filter INPUT") { theirs = 1; continue }
    read(chain)
    if (act == "open") {
      if (covered()) continue
      rule = protocol " dport " port " accept comment \"lablb\""
      if (behind > 0) print "add rule " chain " position " number[chain, behind] " " rule
      else print "insert rule " chain " " rule
    } else if (ours++) narrow()
    else { common = count; for (k = 1; k <= count; k++) all[k] = open[k] }
  }
  if (act != "look") exit
  if (theirs) print "drops iptables ip filter"
  if (ours) print "guard nftables"
  for (i = 1; i <= common; i++) {
    split(all[i], part, " ")
    print "allows nftables " part[1] (part[1] == part[2] ? "" : "-" part[2]) "/" part[3]
  }
}'
}`;
