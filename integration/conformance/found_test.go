package conformance

import "github.com/zookit/zookit/internal/jute"

// found are programs on which zktest has differed, as short as they could be made.
var found = map[string]program{
	"several reads that are writes": {
		{Who: "a", Ask: []request{{jute.OpMultiRead, multi(setting(root))}}},
		{Who: "a", Ask: []request{{jute.OpMultiRead, multi(getting(root), setting(root))}}},
		{Who: "a", Ask: []request{{jute.OpMultiRead, multi(setting(root), getting(root))}}},
		{Who: "a", Ask: []request{{jute.OpMultiRead, multi()}}},
	},
	"no time to live behind what fails": {
		{Who: "a", Ask: []request{{jute.OpMulti, multi(deleting(root+"/a"), makingWithTTL(root+"/b"))}}},
		{Who: "a", Ask: []request{{jute.OpMulti, multi(setting(root), makingWithTTL(root+"/b"), deleting(root+"/a"))}}},
		{Who: "a", Ask: []request{{jute.OpGetData, &jute.PathWatchRequest{Path: root}}}},
	},
	"null in a path": {
		{Who: "a", Ask: []request{{jute.OpExists, &jute.PathWatchRequest{Path: root + "/a\x00", Watch: true}}}},
		{Who: "a", Ask: []request{{jute.OpGetData, &jute.PathWatchRequest{Path: root + "/a\x00", Watch: true}}}},
	},
	"reconfig that cannot be read": {
		{Who: "a", Ask: []request{{jute.OpReconfig, nil}}},
		{Who: "a", Ask: []request{{jute.OpMulti, nil}}},
	},
}

func multi(ops ...jute.MultiOp) *jute.MultiRequest { return &jute.MultiRequest{Ops: ops} }

func setting(path string) jute.MultiOp {
	return jute.MultiOp{Op: jute.OpSetData, Body: &jute.SetDataRequest{Path: path, Data: []byte("x"), Version: -1}}
}

func getting(path string) jute.MultiOp {
	return jute.MultiOp{Op: jute.OpGetData, Body: &jute.PathWatchRequest{Path: path}}
}

func deleting(path string) jute.MultiOp {
	return jute.MultiOp{Op: jute.OpDelete, Body: &jute.PathVersionRequest{Path: path, Version: -1}}
}

// makingWithTTL is a create that does not say how long the node is to live.
func makingWithTTL(path string) jute.MultiOp {
	return jute.MultiOp{Op: jute.OpCreate, Body: &jute.CreateRequest{Path: path, ACL: open(), Flags: jute.FlagPersistentTTL}}
}
