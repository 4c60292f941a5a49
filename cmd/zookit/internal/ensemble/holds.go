package ensemble

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zookit/zookit/client/admin"
)

// withHolds adds to sessions which ephemeral nodes they have, and the sessions that have some and no connection. One server
// knows of all.
func withHolds(ctx context.Context, servers []*admin.Server, found sessions) (sessions, error) {
	var failed []error
	for _, server := range servers {
		text, err := server.Command(ctx, "dump")
		var holds map[int64][]string
		if err == nil {
			holds, err = parseDump(text)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, paths := range holds {
			slices.Sort(paths)
		}
		for i := range found {
			id, _ := strconv.ParseUint(found[i].ID, 0, 64)
			found[i].Holds = append([]string{}, holds[int64(id)]...)
			delete(holds, int64(id))
		}
		for id, paths := range holds {
			found = append(found, session{ID: fmt.Sprintf("%#x", uint64(id)), Holds: paths})
		}
		return found, nil
	}
	return found, errors.Join(failed...)
}

// parseDump reads the part about ephemeral nodes of what dump answers: a line for each session, and one for
// each of its nodes, which is indented.
func parseDump(text string) (map[int64][]string, error) {
	_, text, ok := strings.Cut(text, "Sessions with Ephemerals (")
	if !ok {
		return nil, fmt.Errorf("dump: %w: it does not tell of ephemeral nodes", admin.ErrMalformed)
	}
	holds := map[int64][]string{}
	var id int64
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 4<<20)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		path, indented := strings.CutPrefix(line, "\t")
		switch {
		case first:
		case indented && id != 0:
			holds[id] = append(holds[id], path)
		case strings.HasPrefix(line, "0x") && strings.HasSuffix(line, ":"):
			n, err := strconv.ParseUint(strings.TrimSuffix(line, ":"), 0, 64)
			if err != nil {
				return nil, fmt.Errorf("dump: %w: line %q", admin.ErrMalformed, line)
			}
			id = int64(n)
		default:
			return holds, lines.Err() // the next part
		}
	}
	return holds, lines.Err()
}
