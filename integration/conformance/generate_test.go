package conformance

import (
	"pgregory.net/rapid"

	"github.com/zookit/zookit/internal/jute"
)

// What programs do it to: few nodes, so that clients meet, and some that cannot be.
var (
	paths    = []string{root, root + "/a", root + "/a", root + "/a/b", root + "/a/b", root + "/a/b/c", root + "/d", root + "/d", root + "/e"}
	numbered = []string{root + "/a", root + "/s-", root + "/", root + "/a/", root + "/a/b/n"}
	results  = []string{root + "/s-0000000000", root + "/s-0000000001", root + "/a0000000001", root + "/0000000000", root + "/a/0000000000"}
	badPaths = []string{"", "t", root + "/", root + "//a", root + "/./a", root + "/..", root + "/a\x00", root + "/a/", root + "/\u0001", "/none/a", root + "/\ufffd"}
	// special are for what changes nothing and does not show counters that all programs share.
	special = []string{"/", "", "/zookeeper", "/zookeeper/config"}
	reads   = []jute.Op{jute.OpExists, jute.OpGetData, jute.OpGetChildren, jute.OpGetChildren2}
)

// ids are what clients authenticate as.
var ids = []string{"u:p", "v:q"}

var acls = [][]jute.ACL{
	open(),
	{{Perms: 1, Scheme: "world", ID: "anyone"}},
	{{Perms: 30, Scheme: "world", ID: "anyone"}},
	{{Perms: 31, Scheme: "auth"}},
	{{Perms: 1, Scheme: "world", ID: "anyone"}, {Perms: 31, Scheme: "auth"}},
	{{Perms: 31, Scheme: "digest", ID: "u:/QCfhYrNJ43rn3JCoTr6VBqM+s0="}},
	{{Perms: 17, Scheme: "digest", ID: "v:x"}, {Perms: 13, Scheme: "ip", ID: "127.0.0.1"}},
	{{Perms: 31, Scheme: "ip", ID: "127.0.0.0/8"}},
	{{Perms: 31, Scheme: "ip", ID: "10.0.0.0/8"}},
	{{Perms: 31, Scheme: "ip", ID: "nonsense"}},
	{{Perms: 31, Scheme: "digest", ID: "u"}},
	{{Perms: 31, Scheme: "world", ID: "somebody"}},
	{{Perms: 31, Scheme: "nobody", ID: "knows"}},
	{{Perms: 0, Scheme: "world", ID: "anyone"}},
	{{Perms: 5, Scheme: "world", ID: "anyone"}, {Perms: 5, Scheme: "world", ID: "anyone"}, {Perms: 26, Scheme: "world", ID: "anyone"}},
	{},
}

// seldom is true about once in n times, and shrinks to false.
func seldom(t *rapid.T, n int, label string) bool { return rapid.IntRange(0, n).Draw(t, label) == n }

func pick[E any](t *rapid.T, label string, from []E) E {
	return rapid.SampledFrom(from).Draw(t, label)
}

func drawPath(t *rapid.T) string {
	switch rapid.IntRange(0, 19).Draw(t, "kind of path") {
	case 18:
		return pick(t, "path", results)
	case 19:
		return pick(t, "path", badPaths)
	default:
		return pick(t, "path", paths)
	}
}

// drawAnyPath is for what leaves the server's own nodes alone.
func drawAnyPath(t *rapid.T) string {
	if seldom(t, 12, "special path") {
		return pick(t, "path", special)
	}
	return drawPath(t)
}

func drawVersion(t *rapid.T) int32 {
	return pick(t, "version", []int32{-1, -1, -1, 0, 0, 1, 2, 3, -2})
}

func drawData(t *rapid.T) []byte {
	return pick(t, "data", [][]byte{[]byte("x"), {}, nil, []byte("longer")})
}

func drawACL(t *rapid.T) []jute.ACL {
	if seldom(t, 4, "other ACL") {
		return pick(t, "ACL", acls)
	}
	return open()
}

// drawCreate makes what one of the operations that create a node asks for.
func drawCreate(t *rapid.T, op jute.Op) jute.Record {
	var flags int32
	switch op {
	case jute.OpCreateTTL:
		flags = pick(t, "flags", []int32{5, 5, 6, 0, 4})
	case jute.OpCreateContainer:
		flags = pick(t, "flags", []int32{4, 4, 4, 0, 2})
	default:
		flags = pick(t, "flags", []int32{0, 0, 0, 1, 1, 1, 2, 3})
	}
	if seldom(t, 30, "any flags") {
		flags = rapid.Int32Range(-1, 7).Draw(t, "flags")
	}
	if op == jute.OpCreateContainer && (flags == 1 || flags == 3) {
		// For a moment a real server takes the container for an ephemeral node.
		flags = 4
	}
	path := drawPath(t)
	if flags == 2 || flags == 3 || flags == 6 {
		path = pick(t, "path", numbered)
	}
	r := jute.CreateRequest{Path: path, Data: drawData(t), ACL: drawACL(t), Flags: flags}
	if op != jute.OpCreateTTL {
		return &r
	}
	millis := pick(t, "ttl", []int64{3_600_000, 3_600_000, 1 << 39, 0, -1, 1 << 40})
	if millis < 0 && flags >= 0 && flags < jute.FlagPersistentTTL {
		millis = 0 // a real server dies of it
	}
	return &jute.CreateTTLRequest{CreateRequest: r, TTLMillis: millis}
}

var creates = []jute.Op{jute.OpCreate, jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL}

// drawChange makes an operation that can stand in a transaction, or by itself.
func drawChange(t *rapid.T, multi bool) request {
	n := 4
	if multi {
		n = 5
	}
	switch rapid.IntRange(0, n).Draw(t, "change") {
	case 0, 1:
		op := pick(t, "create", creates)
		return request{op, drawCreate(t, op)}
	case 2, 3:
		return request{jute.OpSetData, &jute.SetDataRequest{Path: drawPath(t), Data: drawData(t), Version: drawVersion(t)}}
	case 4:
		return request{jute.OpDelete, &jute.PathVersionRequest{Path: drawPath(t), Version: drawVersion(t)}}
	default:
		return request{jute.OpCheck, &jute.PathVersionRequest{Path: drawPath(t), Version: drawVersion(t)}}
	}
}

func drawRead(t *rapid.T) request {
	path := drawPath(t)
	if path == "" {
		path = "/zookeeper/config" // an empty one would be the root's
	}
	return request{pick(t, "read", reads), &jute.PathWatchRequest{Path: path, Watch: rapid.Bool().Draw(t, "watch")}}
}

// drawMulti makes a transaction, of checks only now and then, or several reads.
func drawMulti(t *rapid.T) request {
	kind := rapid.IntRange(0, 9).Draw(t, "kind of multi")
	ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) jute.MultiOp {
		var r request
		switch {
		case kind < 6:
			r = drawChange(t, true)
		case kind < 8:
			r = request{jute.OpCheck, &jute.PathVersionRequest{Path: drawPath(t), Version: drawVersion(t)}}
		default:
			r = drawRead(t)
			if r.Op != jute.OpGetData {
				r.Op = jute.OpGetChildren
			}
		}
		return jute.MultiOp{Op: r.Op, Body: r.Body}
	}), 0, 4).Draw(t, "operations")
	op := jute.OpMulti
	if kind >= 8 {
		op = jute.OpMultiRead
	}
	if seldom(t, 40, "the other multi") {
		op = jute.OpMulti + jute.OpMultiRead - op
	}
	return request{op, &jute.MultiRequest{Ops: ops}}
}

// drawWatching makes an operation about persistent watches, or about those from before.
func drawWatching(t *rapid.T) request {
	list := func(label string) []string {
		return rapid.SliceOfN(rapid.Custom(drawAnyPath), 0, 3).Draw(t, label)
	}
	again := func() jute.SetWatchesRequest {
		return jute.SetWatchesRequest{
			RelativeZxid: pick(t, "zxid", []int64{0, 1, 2, 4, 8, 16, 1 << 40}), Data: list("data"), Exist: list("exist"), Child: list("child"),
		}
	}
	switch rapid.IntRange(0, 8).Draw(t, "watching") {
	case 0, 1, 2, 3:
		mode := rapid.Int32Range(0, 1).Draw(t, "mode")
		if seldom(t, 20, "unknown mode") {
			mode = 2
		}
		return request{jute.OpAddWatch, &jute.PathTypeRequest{Path: drawAnyPath(t), Type: mode}}
	case 4, 5:
		return request{jute.OpRemoveWatches, &jute.PathTypeRequest{Path: drawAnyPath(t), Type: pick(t, "type", []int32{1, 2, 3, 3, 3, 0, 4})}}
	case 8:
		return request{jute.OpCheckWatches, &jute.PathTypeRequest{Path: pick(t, "path", paths), Type: pick(t, "type", []int32{1, 2, 3, 3, 0})}}
	case 6:
		r := again()
		return request{jute.OpSetWatches, &r}
	default:
		return request{jute.OpSetWatches2, &jute.SetWatches2Request{SetWatchesRequest: again(), Persistent: list("persistent"), Recursive: list("recursive")}}
	}
}

// drawOther makes one of the operations that are left.
func drawOther(t *rapid.T) request {
	switch rapid.IntRange(0, 6).Draw(t, "other") {
	case 0:
		return request{jute.OpGetACL, &jute.PathRequest{Path: drawRead(t).Body.(*jute.PathWatchRequest).Path}}
	case 1:
		return request{jute.OpSetACL, &jute.SetACLRequest{Path: drawPath(t), ACL: pick(t, "ACL", acls), Version: drawVersion(t)}}
	case 2:
		return request{jute.OpSync, &jute.PathRequest{Path: drawAnyPath(t)}}
	case 3:
		return request{jute.OpGetEphemerals, &jute.PathRequest{Path: drawAnyPath(t)}}
	case 4:
		return request{jute.OpGetAllChildrenNumber, &jute.PathRequest{Path: drawAnyPath(t)}}
	case 5:
		return request{jute.OpWhoAmI, nil}
	default:
		return request{jute.OpPing, nil}
	}
}

// drawRequest makes a request that can be sent with others.
func drawRequest(t *rapid.T) request {
	switch rapid.IntRange(0, 9).Draw(t, "request") {
	case 0, 1, 2, 3:
		return drawChange(t, false)
	case 4, 5:
		return drawRead(t)
	case 6:
		return drawOther(t)
	case 7, 8:
		return drawWatching(t)
	default:
		return drawMulti(t)
	}
}

// drawNonsense makes what is no request: too short, of no operation, or of another.
func drawNonsense(t *rapid.T) request {
	switch rapid.IntRange(0, 2).Draw(t, "nonsense") {
	case 0:
		return request{rapid.SampledFrom([]jute.Op{
			jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpSetData, jute.OpSetACL, jute.OpMulti,
			jute.OpExists, jute.OpGetData, jute.OpGetChildren, jute.OpGetChildren2, jute.OpGetACL, jute.OpSync, jute.OpMultiRead,
			jute.OpGetEphemerals, jute.OpGetAllChildrenNumber, jute.OpAddWatch, jute.OpRemoveWatches, jute.OpCheckWatches,
			jute.OpSetWatches, jute.OpSetWatches2, jute.OpReconfig,
		}).Draw(t, "operation"), nil}
	case 1:
		return request{pick(t, "operation", []jute.Op{10, 77, -77}), nil}
	default:
		// What follows the body does not matter.
		return request{jute.OpGetData, &jute.PathVersionRequest{Path: pick(t, "path", paths), Version: 1 << 24}}
	}
}

// steady takes out of what is sent without waiting that on which a real server is of two
// minds until it is in the tree: the right to write behind a setACL is that of before or
// after it; and behind a transaction whose creates lack a time to live it goes on, for a
// moment, from what stands before them, though nothing is left of that.
func steady(r *request) {
	switch b := r.Body.(type) {
	case *jute.SetACLRequest:
		*r = request{jute.OpSync, &jute.PathRequest{Path: b.Path}}
	case *jute.MultiRequest:
		for _, op := range b.Ops {
			if c, ok := op.Body.(*jute.CreateRequest); ok && c.Flags >= jute.FlagPersistentTTL {
				c.Flags = jute.FlagPersistent
			}
		}
	}
}

// drawStep makes a step of one of the clients.
func drawStep(clients []string) func(*rapid.T) step {
	return func(t *rapid.T) step {
		s := step{Who: pick(t, "who", clients)}
		switch rapid.IntRange(0, 29).Draw(t, "step") {
		case 29:
			s.HangUp = true
		case 27, 28:
			s.Resume = s.Who
			if seldom(t, 3, "another's") {
				s.Resume = pick(t, "whose", clients)
			}
			s.Wrong = seldom(t, 5, "wrong password")
			s.Seen = pick(t, "seen", []int64{0, 0, 0, 1, 1 << 40})
		case 26:
			s.Ask = []request{{jute.OpCloseSession, nil}}
		case 25:
			r := jute.AuthRequest{Scheme: "digest", Auth: []byte(pick(t, "id", ids))}
			if seldom(t, 5, "other scheme") {
				r.Scheme = pick(t, "scheme", []string{"ip", "world", "auth", "nobody"})
			}
			s.Ask = []request{{jute.OpAuth, &r}}
		case 23:
			s.Ask = []request{drawNonsense(t)}
		case 24:
			s.Ask = rapid.SliceOfN(rapid.Custom(drawRequest), 2, 4).Draw(t, "requests")
			for i := range s.Ask {
				steady(&s.Ask[i])
			}
		default:
			s.Ask = []request{drawRequest(t)}
		}
		return s
	}
}

// drawProgram makes a program. It is a list of lists, which makes it longer than one list
// would be, and shorter again in fewer attempts.
func drawProgram(t *rapid.T) program {
	clients := []string{"a", "b", "c", "d"}[:rapid.IntRange(1, 4).Draw(t, "clients")]
	parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawStep(clients)), 1, 8), 1, 10).Draw(t, "program")
	var p program
	for _, part := range parts {
		p = append(p, part...)
	}
	if len(clients) > 1 {
		// Before 3.9 a server tells of the watches of all, which zktest does not.
		for _, s := range p {
			for i := range s.Ask {
				if s.Ask[i].Op == jute.OpCheckWatches {
					s.Ask[i].Op = jute.OpRemoveWatches
				}
			}
		}
	}
	return p
}
