package recipes

// mirrorWant is what is to be found out about a path.
type mirrorWant uint8

const (
	// wantData: read the node. An event has named it.
	wantData mirrorWant = 1 << iota
	// wantList: list the children, and verify each.
	wantList
	// wantWalk: after the node has been read, go on to its children.
	wantWalk
)

type mirrorItem struct {
	path string
	want mirrorWant
}

// mirrorQueue is what is to be read, in the order in which that was first wanted; each path is in it once.
type mirrorQueue struct {
	order []string
	want  map[string]mirrorWant
}

func newMirrorQueue() mirrorQueue { return mirrorQueue{want: map[string]mirrorWant{}} }

func (q *mirrorQueue) add(path string, want mirrorWant) {
	old, ok := q.want[path]
	if !ok {
		q.order = append(q.order, path)
	}
	q.want[path] = old | want
}

// take removes up to n items.
func (q *mirrorQueue) take(n int) []mirrorItem {
	var out []mirrorItem
	for len(q.order) > 0 && len(out) < n {
		path := q.order[0]
		q.order = q.order[1:]
		out = append(out, mirrorItem{path, q.want[path]})
		delete(q.want, path)
	}
	if len(q.order) == 0 {
		q.order = nil // and with it what append has kept
	}
	return out
}

func (q *mirrorQueue) len() int { return len(q.order) }
