package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sequential is the end of the name of a sequential node.
var sequential = regexp.MustCompile(`-?\d{10}$`)

// leftovers checks that all clients having closed, or being dead, nothing is left of them on the servers, as
// soon as the sessions of those that died are over.
func (r *run) leftovers() {
	const rule = "nothing is left behind"
	most := 2*r.setting.Session + 3*r.setting.Tick
	for began := time.Now(); len(r.server.Sessions()) > 0; sleep(nil, r.setting.Tick) {
		if time.Since(began) > most {
			r.fail(rule, fmt.Sprintf("%d sessions, %v after all clients", len(r.server.Sessions()), time.Since(began)))
			break
		}
	}
	if n := r.server.Watches(); n > 0 {
		r.fail(rule, fmt.Sprintf("%d watches: %v", n, r.server.WatchList()))
	}
	var left []string
	for path, node := range r.server.Dump() {
		name, below := strings.CutPrefix(path, runPath)
		name = strings.TrimPrefix(name, "/")
		keeps := r.cfg.Workload.Keeps
		if keeps == nil {
			keeps = func(name string) bool { return !sequential.MatchString(name) }
		}
		if !below || node.Stat.EphemeralOwner > 0 || !keeps(name) {
			left = append(left, path)
		}
	}
	slices.Sort(left)
	if len(left) > 0 {
		r.fail(rule, fmt.Sprintf("%d nodes: %s", len(left), strings.Join(left, " ")))
	}
}
