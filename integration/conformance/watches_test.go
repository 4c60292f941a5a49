package conformance

import (
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

func (k *talk) create(who, path string) {
	k.t.Helper()
	k.createAs(who, path, 0)
}

func (k *talk) createAs(who, path string, flags int32) {
	k.t.Helper()
	k.ask(who, jute.OpCreate, &jute.CreateRequest{Path: path, Data: []byte{}, ACL: open(), Flags: flags})
}

func open() []jute.ACL { return []jute.ACL{{Perms: 31, Scheme: "world", ID: "anyone"}} }

func (k *talk) set(who, path string) {
	k.t.Helper()
	k.ask(who, jute.OpSetData, &jute.SetDataRequest{Path: path, Data: []byte("x"), Version: -1})
}

func (k *talk) delete(who, path string) {
	k.t.Helper()
	k.ask(who, jute.OpDelete, &jute.PathVersionRequest{Path: path, Version: -1})
}

func (k *talk) read(who string, op jute.Op, path string) {
	k.t.Helper()
	k.ask(who, op, &jute.PathWatchRequest{Path: path, Watch: true})
}

func (k *talk) addWatch(who, path string, mode int32) {
	k.t.Helper()
	k.ask(who, jute.OpAddWatch, &jute.PathTypeRequest{Path: path, Type: mode})
}

func (k *talk) removeWatch(who, path string, kind int32) {
	k.t.Helper()
	k.ask(who, jute.OpRemoveWatches, &jute.PathTypeRequest{Path: path, Type: kind})
}

// live goes through what can happen to a node and to one below it.
func (k *talk) live(who, path string) {
	k.t.Helper()
	child := strings.TrimSuffix(path, "/") + "/c"
	k.create(who, path)
	k.set(who, path)
	k.create(who, child)
	k.set(who, child)
	k.create(who, child+"/d")
	k.set(who, child+"/d")
	k.delete(who, child+"/d")
	k.delete(who, child)
	k.delete(who, path)
}

func init() {
	const persistent, recursive = jute.AddWatchPersistent, jute.AddWatchPersistentRecursive
	conversations["persistent watch"] = func(k *talk) {
		k.addWatch("a", "/pw", persistent)
		k.live("b", "/pw")
		k.live("b", "/pw")
	}
	conversations["recursive watch"] = func(k *talk) {
		k.addWatch("a", "/pw", recursive)
		k.live("b", "/pw")
		k.live("b", "/pw")
	}
	conversations["recursive watch of the root"] = func(k *talk) {
		k.addWatch("a", "/", recursive)
		k.live("b", "/pw")
	}
	conversations["persistent watch of the root"] = func(k *talk) {
		k.addWatch("a", "/", persistent)
		k.live("b", "/pw")
	}
	conversations["own watches"] = func(k *talk) {
		k.addWatch("a", "/pw", recursive)
		k.live("a", "/pw")
	}
	conversations["several watches that match"] = func(k *talk) {
		k.create("b", "/pw")
		k.create("b", "/pw/c")
		k.addWatch("a", "/", recursive)
		k.addWatch("a", "/pw", recursive)
		k.addWatch("a", "/pw/c", persistent)
		k.read("a", jute.OpGetChildren, "/pw")
		k.set("b", "/pw/c")
		k.create("b", "/pw/c/d")
		k.create("b", "/pw/e")
		k.create("b", "/pw/f")
		k.delete("b", "/pw/e")
		k.delete("b", "/pw/f")
		k.delete("b", "/pw/c/d")
		k.delete("b", "/pw/c")
		k.delete("b", "/pw")
	}
	conversations["one-shot after persistent"] = func(k *talk) {
		for _, mode := range []int32{persistent, recursive} {
			for _, op := range []jute.Op{jute.OpGetData, jute.OpExists, jute.OpGetChildren} {
				who := string('c'+mode) + op.String()
				k.create("b", "/pw")
				k.addWatch(who, "/pw", mode)
				k.read(who, op, "/pw")
				k.set("b", "/pw")
				k.set("b", "/pw")
				k.create("b", "/pw/c")
				k.set("b", "/pw/c")
				k.delete("b", "/pw/c")
				k.delete("b", "/pw")
				k.create("b", "/pw")
				k.delete("b", "/pw")
				k.ask(who, jute.OpCloseSession, nil)
			}
		}
	}
	conversations["persistent after one-shot"] = func(k *talk) {
		for _, mode := range []int32{persistent, recursive} {
			for _, op := range []jute.Op{jute.OpGetData, jute.OpExists, jute.OpGetChildren} {
				who := string('c'+mode) + op.String()
				k.create("b", "/pw")
				k.read(who, op, "/pw")
				k.addWatch(who, "/pw", mode)
				k.set("b", "/pw")
				k.set("b", "/pw")
				k.create("b", "/pw/c")
				k.set("b", "/pw/c")
				k.delete("b", "/pw/c")
				k.delete("b", "/pw")
				k.create("b", "/pw")
				k.delete("b", "/pw")
				k.ask(who, jute.OpCloseSession, nil)
			}
		}
	}
	conversations["one mode after the other"] = func(k *talk) {
		k.addWatch("a", "/pw", persistent)
		k.addWatch("a", "/pw", recursive)
		k.live("b", "/pw")
		k.addWatch("a", "/pw", persistent)
		k.live("b", "/pw")
	}
	conversations["addWatch that is wrong"] = func(k *talk) {
		for _, mode := range []int32{-1, 2, 3, 77} {
			k.addWatch("a", "/pw", mode)
		}
		for _, path := range []string{"", "pw", "/pw/", "//", "/a/../b", "/a\x00b"} {
			k.addWatch("a", path, persistent)
		}
		k.ask("a", jute.OpAddWatch, &jute.PathRequest{Path: "/pw"}) // too short
		k.ask("a", jute.OpExists, &jute.PathWatchRequest{Path: "/pw"})
		k.live("b", "/pw")
	}
	conversations["addWatch needs no permission"] = func(k *talk) {
		k.ask("b", jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")})
		k.ask("b", jute.OpCreate, &jute.CreateRequest{Path: "/pw", ACL: []jute.ACL{{Perms: 31, Scheme: "auth"}}})
		k.addWatch("a", "/pw", recursive)
		k.delete("b", "/pw")
	}
	conversations["removeWatches"] = func(k *talk) {
		for _, mode := range []int32{persistent, recursive, -1} {
			for kind := range int32(7) {
				who := strings.Repeat("c", int(mode)+2) + string('0'+kind)
				k.create("b", "/pw")
				switch mode {
				case -1:
					k.read(who, jute.OpGetData, "/pw")
					k.read(who, jute.OpGetChildren, "/pw")
				default:
					k.addWatch(who, "/pw", mode)
				}
				k.removeWatch(who, "/other", kind)
				k.ask(who, jute.OpCheckWatches, &jute.PathTypeRequest{Path: "/pw", Type: kind})
				k.removeWatch(who, "/pw", kind)
				k.removeWatch(who, "/pw", kind)
				k.set("b", "/pw")
				k.create("b", "/pw/c")
				k.set("b", "/pw/c")
				k.delete("b", "/pw/c")
				k.delete("b", "/pw")
				k.ask(who, jute.OpCloseSession, nil)
			}
		}
	}
	conversations["setWatches2"] = func(k *talk) {
		k.create("b", "/data")
		k.create("b", "/kids")
		k.create("b", "/persistent")
		k.create("b", "/recursive")
		k.create("b", "/both")
		k.ask("a", jute.OpSetWatches2, &jute.SetWatches2Request{
			SetWatchesRequest: jute.SetWatchesRequest{
				Data: []string{"/data", "/gone", "/both"}, Exist: []string{"/data", "/never"}, Child: []string{"/kids", "/gone2"},
			},
			Persistent: []string{"/persistent", "/nothing"}, Recursive: []string{"/recursive", "/both"},
		})
		for _, path := range []string{"/persistent", "/recursive", "/both"} {
			k.set("b", path)
			k.set("b", path)
			k.create("b", path+"/c")
			k.set("b", path+"/c")
			k.delete("b", path+"/c")
		}
		k.create("b", "/never")
		k.create("b", "/nothing")
		for _, path := range []string{"/data", "/kids", "/persistent", "/recursive", "/both", "/never", "/nothing"} {
			k.delete("b", path)
		}
	}
	conversations["setWatches2 with everything unchanged"] = func(k *talk) {
		k.create("b", "/both")
		k.ask("a", jute.OpSetWatches2, &jute.SetWatches2Request{
			SetWatchesRequest: jute.SetWatchesRequest{
				RelativeZxid: 1 << 60, Data: []string{"/both"}, Exist: []string{}, Child: []string{"/both"},
			},
			Persistent: []string{"/both"}, Recursive: []string{"/both"},
		})
		k.ask("c", jute.OpSetWatches2, &jute.SetWatches2Request{
			SetWatchesRequest: jute.SetWatchesRequest{
				RelativeZxid: 1 << 60, Data: []string{"/both"}, Exist: []string{}, Child: []string{"/both"},
			},
			Persistent: []string{"/both"},
		})
		k.set("b", "/both")
		k.set("b", "/both")
		k.create("b", "/both/c")
		k.set("b", "/both/c")
		k.delete("b", "/both/c")
		k.delete("b", "/both")
	}
}
