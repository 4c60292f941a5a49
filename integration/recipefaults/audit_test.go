package recipefaults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
)

// audit knows who holds, and complains of two at once.
type audit struct {
	mu      sync.Mutex
	holders map[string]func() error
	wrong   []string
}

// enter is called by who has been granted; err tells whether it still holds.
func (a *audit) enter(who string, err func() error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for other, still := range a.holders {
		if still() == nil {
			a.wrong = append(a.wrong, fmt.Sprintf("%s holds beside %s", who, other))
		}
	}
	if a.holders == nil {
		a.holders = map[string]func() error{}
	}
	a.holders[who] = err
}

// leave is called before what is held is given back.
func (a *audit) leave(who string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.holders, who)
}

func (a *audit) complaints() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.wrong)
}

// watchesUnder lists the watches that are set on any server on dir and below, as path and
// session. A server that is down has none.
func (s *site) watchesUnder(ctx context.Context, dir string) []string {
	var found []string
	for _, w := range s.watches.list(ctx, s.e) {
		if path, _, _ := strings.Cut(w, " "); path == dir || strings.HasPrefix(path, dir+"/") {
			found = append(found, w)
		}
	}
	return found
}

// watchList is all watches on all servers. Many scenes ask for them time and again, so those who wait while somebody
// asks share the next answer.
type watchList struct {
	mu    sync.Mutex
	asked time.Time
	all   []string
}

func (l *watchList) list(ctx context.Context, e *ensemble.Ensemble) []string {
	began := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked.After(began) {
		return l.all
	}
	l.asked, l.all = time.Now(), nil
	for _, server := range e.Servers() {
		answer, err := server.FourLetter(ctx, "wchp")
		if err != nil {
			continue
		}
		path := ""
		for line := range strings.SplitSeq(answer, "\n") {
			if session, indented := strings.CutPrefix(line, "\t"); indented {
				l.all = append(l.all, path+" "+session)
			} else {
				path = strings.TrimSpace(line)
			}
		}
	}
	return l.all
}

// directories are what recipes make below a scene's directory, and leave.
var directories = []string{"0", "a", "b", "data", "leases", "line", "locks", "party", "pool", "pool-__lock__"}

// treeUnder lists the nodes below dir, as paths from there, but for the directories.
func treeUnder(ctx context.Context, cl *client.Client, dir string) ([]string, error) {
	var all []string
	names, _, err := cl.Children(ctx, dir)
	if err != nil {
		if errors.Is(err, client.ErrNoNode) {
			return nil, nil
		}
		return nil, err
	}
	for _, name := range names {
		below, err := treeUnder(ctx, cl, client.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(directories, name) {
			all = append(all, name)
		}
		for _, b := range below {
			all = append(all, name+"/"+b)
		}
	}
	slices.Sort(all)
	return all, nil
}

// label marks the goroutines of a scene.
const label = "scene"

// goroutinesOf lists the goroutines with that label that are in one of the recipes.
func goroutinesOf(scene string) []string {
	var (
		buf   bytes.Buffer
		found []string
		mark  = fmt.Sprintf("%q:%q", label, scene)
	)
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		return []string{err.Error()}
	}
	for group := range strings.SplitSeq(buf.String(), "\n\n") {
		if !strings.Contains(group, mark) {
			continue
		}
		for _, pkg := range []string{"recipes", "lock", "election", "barrier", "group"} {
			if strings.Contains(group, "zookit/zookit/"+pkg+".") {
				found = append(found, group)
				break
			}
		}
	}
	return found
}
