package zktest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// wchc tells which paths each session watches: those in the table of data watches, where the
// persistent ones are too. As on a real server a session that watches nothing any more stays.
func (d *Door) wchc() string {
	lists := map[string][]string{}
	for c := range d.watches.ever {
		id := sessionText(c.who.session)
		lists[id] = append(lists[id], d.watches.dataPaths(c)...)
	}
	return listText(lists)
}

// wchp is wchc the other way round: which sessions watch each path.
func (d *Door) wchp() string {
	lists := map[string][]string{}
	for c := range d.watches.ever {
		for _, path := range d.watches.dataPaths(c) {
			lists[path] = append(lists[path], sessionText(c.who.session))
		}
	}
	return listText(lists)
}

func sessionText(id int64) string { return fmt.Sprintf("0x%x", uint64(id)) }

// listText writes lists, each under its name, all of it sorted.
func listText(lists map[string][]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		b.WriteString(name + "\n")
		for _, item := range slices.Sorted(slices.Values(lists[name])) {
			b.WriteString("\t" + item + "\n")
		}
	}
	b.WriteByte('\n')
	return b.String()
}
