# Reads a coverage profile (go help testflag) and prints the share of statements that tests reach, by package. A block
# that several test binaries report counts once. Exits 1 where a package is below min per cent.
NR == 1 { next } # mode
{
    split($1, place, ":")
    name = place[1]
    sub("/[^/]*$", "", name)
    package[$1] = name
    statements[$1] = $2
    if ($3 > 0) reached[$1] = 1
}
END {
    for (block in statements) {
        total[package[block]] += statements[block]
        if (block in reached) hit[package[block]] += statements[block]
    }
    sorter = "sort"
    for (name in total) {
        share = 100 * hit[name] / total[name]
        low = share < min
        failed = failed || low
        printf "%-40s %6.1f %%%s\n", name, share, low ? "  below " min " %" : "" | sorter
    }
    close(sorter)
    exit failed ? 1 : 0
}
