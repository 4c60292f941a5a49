package admin

import "strings"

// WatchSummary is the answer to wchs: how many watches a server keeps for its clients.
type WatchSummary struct {
	// Connections with watches, and the paths that they watch.
	Connections, Paths int64
	// Watches counts each path once for each connection that watches it.
	Watches int64
}

var wchs = question[*WatchSummary]{"wchs", "watch_summary", wchsFromText, wchsFromJSON}

// wchsFromText reads "1 connections watching 2 paths", and in the next line "Total watches:3".
func wchsFromText(text string) (*WatchSummary, error) {
	w := &WatchSummary{}
	var first, second bool
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		total, isTotal := strings.CutPrefix(bare, "Total watches:")
		fields := strings.Fields(bare)
		var err error
		switch {
		case isTotal:
			second = true
			w.Watches, err = integer(strings.TrimSpace(total))
		case len(fields) == 5 && fields[1] == "connections" && fields[4] == "paths":
			first = true
			if w.Connections, err = integer(fields[0]); err == nil {
				w.Paths, err = integer(fields[3])
			}
		}
		if err != nil {
			return nil, malformed(line)
		}
	}
	switch {
	case !first:
		return nil, missing("number of connections and paths")
	case !second:
		return nil, missing("total")
	case !strings.HasSuffix(text, "\n"):
		return nil, missing("end to its last line")
	}
	return w, nil
}

func wchsFromJSON(body []byte) (*WatchSummary, error) {
	v, err := members(body)
	if err != nil {
		return nil, err
	}
	v.need("num_connections", "num_paths", "num_total_watches")
	w := &WatchSummary{
		Connections: v.integer("num_connections"),
		Paths:       v.integer("num_paths"),
		Watches:     v.integer("num_total_watches"),
	}
	if v.err != nil {
		return nil, v.err
	}
	return w, nil
}
