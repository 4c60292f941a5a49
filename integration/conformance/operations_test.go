package conformance

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// null is a string that is null.
type null struct{}

func (null) Encode(e *jute.Encoder) { e.Int32(-1) }
func (null) Decode(*jute.Decoder)   {}

func init() {
	conversations["getEphemerals"] = func(k *talk) {
		for _, prefix := range []string{"", "/", " ", "/e"} {
			k.ask("a", jute.OpGetEphemerals, &jute.PathRequest{Path: prefix})
		}
		k.create("b", "/e")
		k.createAs("a", "/e/1", jute.FlagEphemeral)
		k.createAs("a", "/e/2-", jute.FlagEphemeralSequential)
		k.createAs("a", "/f", jute.FlagEphemeral)
		k.createAs("b", "/e/b", jute.FlagEphemeral)
		for _, prefix := range []string{"", "/", "  ", "/e", "/e/", "/e/1", "/e/2", "/none", "no path", "//", "e", "\x00"} {
			k.ask("a", jute.OpGetEphemerals, &jute.PathRequest{Path: prefix})
		}
		k.ask("a", jute.OpGetEphemerals, null{})
		k.ask("a", jute.OpGetEphemerals, nil)
		k.ask("b", jute.OpGetEphemerals, null{})
		k.ask("a", jute.OpCloseSession, nil)
		k.ask("b", jute.OpGetEphemerals, null{})
		k.delete("b", "/e/b")
		k.delete("b", "/e")
	}
	conversations["getAllChildrenNumber"] = func(k *talk) {
		count := func(path string) {
			k.ask("a", jute.OpGetAllChildrenNumber, &jute.PathRequest{Path: path})
		}
		for _, path := range []string{"/", "", "/zookeeper", "/n", "n", "/n/", "/zookeeper/"} {
			count(path)
		}
		k.create("b", "/n")
		count("/n")
		k.create("b", "/n/1")
		k.create("b", "/n/1/2")
		k.create("b", "/n2")
		k.createAs("b", "/n/e", jute.FlagEphemeral)
		for _, path := range []string{"/", "", "/n", "/n/1", "/n/1/2", "/n/", "/n2"} {
			count(path)
		}
		k.ask("a", jute.OpGetAllChildrenNumber, nil)
		k.ask("b", jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")})
		k.ask("b", jute.OpSetACL, &jute.SetACLRequest{Path: "/n/1", ACL: []jute.ACL{{Perms: 30, Scheme: "world", ID: "anyone"}}, Version: -1})
		count("/n/1")
		count("/n/1/2")
		count("/n") // those that cannot be read count
		for _, path := range []string{"/n/1/2", "/n/1", "/n/e", "/n", "/n2"} {
			k.delete("b", path)
		}
	}
	conversations["whoAmI"] = func(k *talk) {
		k.ask("a", jute.OpWhoAmI, nil)
		for _, cred := range []string{"u:p", "v:q", "u:p", "nobody", "u:other", ":empty"} {
			k.ask("a", jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte(cred)})
			k.ask("a", jute.OpWhoAmI, nil)
		}
		k.ask("a", jute.OpAuth, &jute.AuthRequest{Scheme: "ip", Auth: []byte("10.0.0.1")})
		k.ask("a", jute.OpWhoAmI, nil)
		k.ask("a", jute.OpWhoAmI, &jute.PathRequest{Path: "/what comes after is ignored"})
	}
	step := func(op jute.Op, body jute.Record) jute.MultiOp { return jute.MultiOp{Op: op, Body: body} }
	create := func(path string, flags int32) *jute.CreateRequest {
		return &jute.CreateRequest{Path: path, Data: []byte("x"), ACL: open(), Flags: flags}
	}
	ttl := func(path string, flags int32, millis int64) *jute.CreateTTLRequest {
		return &jute.CreateTTLRequest{CreateRequest: *create(path, flags), TTLMillis: millis}
	}
	conversations["create of all kinds"] = func(k *talk) {
		k.create("a", "/m")
		for _, op := range []jute.Op{jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer} {
			for flags := int32(-1); flags <= 7; flags++ {
				k.ask("a", op, create("/m/n", flags))
			}
			k.empty("a", "/m")
		}
		for flags := int32(-1); flags <= 7; flags++ {
			for _, millis := range []int64{-2, -1, 0, 1_000_000, 1<<40 - 1, 1 << 40} {
				if millis < 0 && flags >= 0 && flags < jute.FlagPersistentTTL {
					continue // a real server dies of it
				}
				k.ask("a", jute.OpCreateTTL, ttl("/m/n", flags, millis))
			}
		}
		k.empty("a", "/m")
		k.delete("a", "/m")
	}
	conversations["multi that creates"] = func(k *talk) {
		k.create("a", "/m")
		multi := func(ops ...jute.MultiOp) {
			k.ask("a", jute.OpMulti, &jute.MultiRequest{Ops: ops})
		}
		for _, op := range []jute.Op{jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer} {
			for flags := int32(-1); flags <= 7; flags++ {
				multi(step(op, create("/m/n", flags)))
				multi(step(jute.OpSetData, &jute.SetDataRequest{Path: "/m", Version: -1}), step(op, create("/m/o", flags)),
					step(jute.OpCheck, &jute.PathVersionRequest{Path: "/m", Version: -1}))
			}
			k.empty("a", "/m")
		}
		for flags := int32(-1); flags <= 7; flags++ {
			for _, millis := range []int64{-1, 0, 1_000_000, 1 << 40} {
				multi(step(jute.OpCreateTTL, ttl("/m/n", flags, millis)))
				multi(step(jute.OpSetData, &jute.SetDataRequest{Path: "/m", Version: -1}), step(jute.OpCreateTTL, ttl("/m/o", flags, millis)),
					step(jute.OpCheck, &jute.PathVersionRequest{Path: "/m", Version: -1}))
			}
			k.ask("a", jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/m"})
			k.empty("a", "/m")
		}
		k.delete("a", "/m")
	}
	conversations["multi that fails"] = func(k *talk) {
		k.create("a", "/m")
		for _, op := range []jute.MultiOp{
			step(jute.OpCreate2, create("/m", 0)),
			step(jute.OpCreateContainer, create("/m", 4)),
			step(jute.OpCreate2, create("/no/n", 0)),
			step(jute.OpCheck, &jute.PathVersionRequest{Path: "/m", Version: 7}),
			step(jute.OpSetData, &jute.SetDataRequest{Path: "/no", Version: 7}),
			step(jute.OpDelete, &jute.PathVersionRequest{Path: "/m", Version: 7}),
		} {
			k.ask("a", jute.OpMulti, &jute.MultiRequest{Ops: []jute.MultiOp{
				step(jute.OpCreate, create("/m/before", 0)), step(jute.OpCreateContainer, create("/m/box", 4)),
				op, step(jute.OpCreate2, create("/m/after", 0)),
			}})
		}
		k.delete("a", "/m")
	}
}

// dies is the conversation of nodes that go by themselves.
func dies(k *talk) {
	container := &jute.CreateRequest{Path: "/box", Data: []byte{}, ACL: open(), Flags: jute.FlagContainer}
	k.addWatch("a", "/", jute.AddWatchPersistentRecursive)
	k.ask("b", jute.OpCreateContainer, container)
	k.create("b", "/box/in")
	k.delete("b", "/box/in")
	k.await("a", "/box")
	k.ask("b", jute.OpExists, &jute.PathWatchRequest{Path: "/box"})
	k.ask("b", jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: "/ttl", Data: []byte{}, ACL: open(), Flags: jute.FlagPersistentTTL}, TTLMillis: 500,
	})
	k.set("b", "/ttl")
	k.await("a", "/ttl")
	k.ask("b", jute.OpExists, &jute.PathWatchRequest{Path: "/ttl"})
	k.ask("b", jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: "/ttl", Data: []byte{}, ACL: open(), Flags: jute.FlagPersistentTTL}, TTLMillis: 1,
	})
	k.await("a", "/ttl")
	k.ask("b", jute.OpExists, &jute.PathWatchRequest{Path: "/ttl"})
}

// wipe deletes a node with all that is below it.
func (k *talk) wipe(who, path string) {
	k.t.Helper()
	k.empty(who, path)
	k.delete(who, path)
}

// names returns the children of a node, without a word about it.
func (k *talk) names(who, path string) []string {
	k.t.Helper()
	v := k.speaks(who)
	v.write(&jute.RequestHeader{Xid: 1 << 29, Op: jute.OpGetChildren}, &jute.PathWatchRequest{Path: path})
	buf, err := v.read()
	require.NoError(k.t, err, "children of %s", path)
	d := jute.NewDecoder(buf)
	(&jute.ReplyHeader{}).Decode(d)
	var names jute.ChildrenReply
	names.Decode(d)
	slices.Sort(names.Children)
	return names.Children
}

// empty deletes what is below a node.
func (k *talk) empty(who, path string) {
	k.t.Helper()
	for _, name := range k.names(who, path) {
		k.wipe(who, path+"/"+name)
	}
}
