package zktest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// member is one server of an ensemble, as a line of the dynamic configuration has it.
type member struct {
	peer     string // host:port:port, several with | between them
	observer bool
	client   string // host:port, empty if it is not told
}

// members are the servers of an ensemble by their numbers.
type members map[int64]member

var (
	peerAddr   = regexp.MustCompile(`^[^\s;|=,]+:\d{1,5}:\d{1,5}$`)
	clientAddr = regexp.MustCompile(`^(?:[^\s;|=,]+:)?\d{1,5}$`)
)

// parseMember reads "server.1=host:2888:3888:participant;host:2181". A number that is none
// is another error than the rest, as on a real server.
func parseMember(line string) (id int64, m member, code jute.Code) {
	key, spec, ok := strings.Cut(strings.TrimSpace(line), "=")
	if !ok || strings.Contains(spec, "=") {
		return 0, member{}, jute.BadArguments
	}
	id, err := strconv.ParseInt(key[strings.LastIndexByte(key, '.')+1:], 10, 64)
	if err != nil {
		return 0, member{}, jute.MarshallingError
	}
	peer, client, told := strings.Cut(spec, ";")
	for _, role := range []string{"participant", "observer"} {
		if cut, ok := strings.CutSuffix(peer, ":"+role); ok {
			peer, m.observer = cut, role == "observer"
			break
		}
	}
	for addr := range strings.SplitSeq(peer, "|") {
		if !peerAddr.MatchString(addr) {
			return 0, member{}, jute.BadArguments
		}
	}
	if told {
		if !clientAddr.MatchString(client) {
			return 0, member{}, jute.BadArguments
		}
		if !strings.Contains(client, ":") {
			client = "0.0.0.0:" + client
		}
	}
	m.peer, m.client = peer, client
	return id, m, jute.OK
}

// lines writes the servers as the configuration has them.
func (ms members) lines() []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(ms)) {
		m := ms[id]
		role := "participant"
		if m.observer {
			role = "observer"
		}
		line := fmt.Sprintf("server.%d=%s:%s", id, m.peer, role)
		if m.client != "" {
			line += ";" + m.client
		}
		out = append(out, line)
	}
	return out
}

// voters returns how many servers vote, and how many of them are among those given.
func (ms members) voters(among map[int64]bool) (all, some int) {
	for id, m := range ms {
		if m.observer {
			continue
		}
		all++
		if among[id] {
			some++
		}
	}
	return all, some
}

// change returns the servers that a reconfiguration asks for.
func (ms members) change(r *jute.ReconfigRequest) (members, jute.Code) {
	next := members{}
	if r.NewMembers != "" {
		for line := range strings.FieldsFuncSeq(r.NewMembers, func(c rune) bool { return c == ',' || c == '\n' }) {
			if strings.HasPrefix(strings.TrimSpace(line), "version=") {
				continue
			}
			if !strings.HasPrefix(strings.TrimSpace(line), "server.") {
				return nil, jute.BadArguments
			}
			id, m, code := parseMember(line)
			if code != jute.OK {
				return nil, code
			}
			next[id] = m
		}
		return next, jute.OK
	}
	maps.Copy(next, ms)
	for field := range strings.FieldsFuncSeq(r.Leaving, func(c rune) bool { return c == ',' }) {
		id, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
		if err != nil {
			return nil, jute.MarshallingError
		}
		delete(next, id)
	}
	for line := range strings.FieldsFuncSeq(r.Joining, func(c rune) bool { return c == ',' }) {
		id, m, code := parseMember(line)
		switch {
		case code != jute.OK:
			return nil, code
		case m.client == "":
			return nil, jute.BadArguments
		}
		next[id] = m
	}
	return next, jute.OK
}
