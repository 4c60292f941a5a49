package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

// finding is what a node is.
type finding struct {
	kind   string
	layout string   // as it is told
	mayBe  []string // what else has such nodes
	lib    recipes.Layout
	queue  queue.Layout
	kids   []kid // the children's stats, if they had to be read
}

var layouts = []recipes.Layout{recipes.Curator, recipes.Kazoo}

var (
	dashed = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	plain  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	// shallow is how Kazoo's ShallowParty names its members.
	shallow = regexp.MustCompile(`^[0-9a-f]{32}-.`)
	permit  = regexp.MustCompile(`lease-[0-9]{10}$`)
)

const (
	readyName   = "ready"        // of a double barrier
	holderName  = "lease_holder" // of a lease
	partyMark   = "__party__"    // in the names of Kazoo's Party
	partyDir    = "party"        // of a partitioner
	permitsName = "leases"       // of a semaphore in Curator's layout
	lineName    = "locks"        // of that, and of a partitioner
)

// itemNames are how the libraries name the items of their queues. The order matters: some names fit several.
var itemNames = []struct {
	layout queue.Layout
	name   *regexp.Regexp
	mayBe  []string
}{
	{queue.KazooQueue, regexp.MustCompile(`^entry-[0-9]{3}-[0-9]{10}$`), nil},
	{queue.CuratorSimpleQueue, regexp.MustCompile(`^qn-[0-9]{10}$`), nil},
	{queue.CuratorPriorityQueue, regexp.MustCompile(`^queue-[01][0-9A-F]{8}[0-9]{10}$`), nil},
	{queue.CuratorDelayQueue, regexp.MustCompile(`^queue-\|[0-9A-F]{8,16}\|[0-9]{10}$`), []string{queue.CuratorIDQueue.String()}},
	{queue.CuratorIDQueue, regexp.MustCompile(`^queue-\|[^|]+\|[0-9]{10}$`), nil},
	{queue.CuratorQueue, regexp.MustCompile(`^queue-[0-9]{10}$`), nil},
}

// recognise finds out what a node is: by the names of its children, and where these leave it open by what the children are. With
// deep it reads as far as a discovery's services, two levels below.
func recognise(ctx context.Context, cl *client.Client, s *sight, deep bool) (finding, error) {
	if f, ok := byNames(s.children); ok {
		return f, nil
	}
	if len(s.children) > 0 && within(s.children, lineName, permitsName) {
		found, err := listings(ctx, cl, s.at(permitsName), s.at(lineName))
		if err != nil {
			return finding{}, err
		}
		if slices.ContainsFunc(found[0], permit.MatchString) || isLine(found[1]) || isLimit(s.data) {
			return finding{kind: kindSemaphore, layout: recipes.Curator.String(), lib: recipes.Curator}, nil
		}
	}
	if s.beside && !slices.ContainsFunc(s.children, func(name string) bool { return !plain.MatchString(name) }) {
		return finding{kind: kindSemaphore, layout: recipes.Kazoo.String(), lib: recipes.Kazoo}, nil
	}
	if len(s.children) == 0 {
		return leaf(s), nil
	}
	below, err := kids(ctx, cl, s)
	if err != nil {
		return finding{}, err
	}
	f, err := byKids(ctx, cl, s, below)
	if err == nil && f.kind == kindNode && deep {
		f, err = byServices(ctx, cl, s, below)
	}
	f.kids = below
	return f, err
}

// byNames recognises what the names of a node's children tell for certain.
func byNames(names []string) (finding, bool) {
	if slices.Contains(names, holderName) {
		return finding{kind: kindLease, layout: recipes.Kazoo.String(), lib: recipes.Kazoo}, true
	}
	if f, ok := byContenders(names); ok {
		return f, true
	}
	switch {
	case slices.Contains(names, partyDir) && within(names, partyDir, lineName):
		return finding{kind: kindPartitions}, true
	case slices.Contains(names, "segments") && slices.Contains(names, "holders"):
		return finding{kind: kindQueue, layout: queue.Native.String(), queue: queue.Native}, true
	case len(names) > 0 && within(names, "entries", "taken"):
		return finding{kind: kindQueue, layout: queue.KazooLockingQueue.String(), queue: queue.KazooLockingQueue}, true
	}
	for _, one := range itemNames {
		if !slices.ContainsFunc(names, one.name.MatchString) {
			continue
		}
		if one.layout == queue.CuratorDelayQueue && slices.ContainsFunc(names, func(name string) bool {
			return strings.HasPrefix(name, "queue-|") && !one.name.MatchString(name)
		}) {
			continue // a time can be an id, but not the other way round
		}
		return finding{kind: kindQueue, layout: one.layout.String(), queue: one.layout, mayBe: one.mayBe}, true
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, partyMark) }) {
		return finding{kind: kindGroup, layout: recipes.Kazoo.String(), lib: recipes.Kazoo}, true
	}
	return finding{}, false
}

// byContenders recognises lines: locks, read-write locks and elections.
func byContenders(names []string) (finding, bool) {
	kinds := map[recipes.Kind]bool{}
	in := map[recipes.Layout]bool{}
	for _, name := range names {
		if layout, kind, ok := contender(name); ok {
			kinds[kind], in[layout] = true, true
		}
	}
	f := finding{kind: kindMutex, lib: recipes.Curator, layout: recipes.Curator.String()}
	switch {
	case len(in) == 0:
		return finding{}, false
	case len(in) > 1:
		f.layout = "mixed"
	case in[recipes.Kazoo]:
		f.lib, f.layout = recipes.Kazoo, recipes.Kazoo.String()
	}
	switch {
	case kinds[recipes.KindRead], kinds[recipes.KindWrite]:
		f.kind = kindRWLock
	case kinds[recipes.KindLatch] && len(kinds) == 1:
		f.kind = kindElection
	case in[recipes.Kazoo]:
		f.mayBe = []string{kindElection, kindRWLock} // a writer has the name of a lock
	default:
		f.mayBe = []string{kindElection}
	}
	return f, true
}

// contender reads the name of one who stands in a line.
func contender(name string) (recipes.Layout, recipes.Kind, bool) {
	for _, layout := range layouts {
		if kind, _, ok := layout.Parse(name, recipes.KindMutex, recipes.KindWrite, recipes.KindRead, recipes.KindLatch); ok {
			return layout, kind, true
		}
	}
	return 0, 0, false
}

func isLine(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, _, ok := contender(name); return ok })
}

// within tells whether all the names are some of these.
func within(names []string, these ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(these, name) })
}

func isLimit(data []byte) bool {
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return err == nil && n > 0
}

// byKids recognises what only the children themselves tell: who is ephemeral is there.
func byKids(ctx context.Context, cl *client.Client, s *sight, below []kid) (finding, error) {
	ephemeral, ready := 0, false
	named := map[string]int{}
	for _, k := range below {
		switch {
		case k.stat.EphemeralOwner != 0:
			ephemeral++
			for what, form := range map[string]*regexp.Regexp{"dashed": dashed, "plain": plain, "shallow": shallow} {
				if form.MatchString(k.name) {
					named[what]++
				}
			}
		case k.name == readyName:
			ready = true
		}
	}
	others := len(below) - ephemeral
	lib := recipes.Curator
	if named["plain"] > 0 {
		lib = recipes.Kazoo
	}
	switch {
	case ready && others == 1:
		return finding{kind: kindDouble, layout: lib.String(), lib: lib}, nil
	case len(below) == 0:
		return finding{kind: kindNode}, nil
	}
	if instance, err := isInstance(ctx, cl, s.at(below[0].name), s.name()); instance || err != nil {
		return finding{kind: kindService, layout: recipes.Curator.String()}, err
	}
	switch {
	case others > 0:
		return finding{kind: kindNode}, nil
	case named["plain"] == ephemeral && isLimit(s.data):
		return finding{kind: kindSemaphore, layout: lib.String(), lib: lib, mayBe: []string{kindDouble}}, nil
	case named["plain"] == ephemeral, named["dashed"] == ephemeral:
		return finding{kind: kindDouble, layout: lib.String(), lib: lib, mayBe: []string{kindGroup}}, nil
	case named["shallow"] == ephemeral:
		return finding{kind: kindGroup, layout: shallowParty, lib: recipes.Kazoo}, nil
	}
	return finding{kind: kindGroup, layout: recipes.Curator.String()}, nil
}

// byServices recognises a discovery: a directory of services.
func byServices(ctx context.Context, cl *client.Client, s *sight, below []kid) (finding, error) {
	const tries = 20 // services can be without instances
	for _, k := range below[:min(len(below), tries)] {
		if k.stat.NumChildren == 0 {
			continue
		}
		found, err := listings(ctx, cl, s.at(k.name))
		if errors.Is(err, client.ErrNoAuth) {
			continue
		}
		if err != nil {
			return finding{}, err
		}
		for _, name := range found[0][:min(len(found[0]), 1)] {
			if instance, err := isInstance(ctx, cl, client.Join(s.at(k.name), name), k.name); instance || err != nil {
				return finding{kind: kindDiscovery, layout: recipes.Curator.String()}, err
			}
		}
	}
	return finding{kind: kindNode}, nil
}

// isInstance tells whether a node is an instance of the service of that name.
func isInstance(ctx context.Context, cl *client.Client, path, service string) (bool, error) {
	data, _, err := cl.Get(ctx, path)
	if errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrNoAuth) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	i, err := discovery.Decode(data)
	return err == nil && i.Name != "" && i.Name == service, nil
}

// leaf recognises a node without children, of which its data alone tells. A barrier can have any data.
func leaf(s *sight) finding {
	data := strings.TrimSpace(string(s.data))
	_, err := strconv.ParseInt(data, 10, 64)
	switch {
	case err == nil:
		return finding{kind: kindCounter, layout: "text", mayBe: []string{kindDocument, kindSemaphore, kindBarrier}}
	case len(s.data) == 8 && !printable(s.data):
		return finding{kind: kindCounter, layout: "long", mayBe: []string{kindDocument, kindBarrier}}
	case len(s.data) == 4 && !printable(s.data):
		return finding{kind: kindCounter, layout: "int", mayBe: []string{kindDocument, kindBarrier}}
	case strings.HasPrefix(data, "{") || strings.HasPrefix(data, "["):
		if json.Valid(s.data) {
			return finding{kind: kindDocument, layout: "json", mayBe: []string{kindBarrier}}
		}
	}
	return finding{kind: kindNode, mayBe: []string{kindBarrier, kindDocument}}
}

func printable(data []byte) bool {
	return utf8.Valid(data) && !strings.ContainsFunc(string(data), func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
