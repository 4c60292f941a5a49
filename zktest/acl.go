package zktest

import (
	"crypto/sha1"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// Permissions in an access control list.
const (
	permRead   int32 = 1
	permWrite  int32 = 2
	permCreate int32 = 4
	permDelete int32 = 8
	permAdmin  int32 = 16
	permAll    int32 = 31
)

// superScheme is the scheme of an identity that may do everything. It cannot be asked for.
const superScheme = "super"

func openACL() []jute.ACL {
	return []jute.ACL{{Perms: permAll, Scheme: "world", ID: "anyone"}}
}

// sharedACL is openACL for the nodes, nearly all of which have it. Lists are replaced, never changed.
var sharedACL = openACL()

// identity is one thing that a connection has shown itself to be.
type identity struct {
	scheme, id string
}

// caller is on whose behalf an operation runs.
type caller struct {
	session int64
	ids     []identity
	// trusted is the test itself: no access control.
	trusted bool
}

// may tells whether an access control list gives the caller any of the permissions.
func (w *caller) may(acl []jute.ACL, perms int32) bool {
	if w.trusted || len(acl) == 0 || slices.Contains(w.ids, identity{scheme: superScheme}) {
		return true
	}
	for _, a := range acl {
		if a.Perms&perms == 0 {
			continue
		}
		if a.Scheme == "world" && a.ID == "anyone" {
			return true
		}
		for _, have := range w.ids {
			if have.scheme == a.Scheme && matchID(a.Scheme, have.id, a.ID) {
				return true
			}
		}
	}
	return false
}

func matchID(scheme, have, want string) bool {
	switch scheme {
	case "digest":
		return have == want
	case "ip":
		prefix, ok := parseNet(want)
		addr, err := netip.ParseAddr(have)
		return ok && err == nil && prefix.Contains(addr)
	default:
		return false
	}
}

func parseNet(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

// resolveACL checks a list that a client gave and replaces the scheme "auth" by
// what the client has authenticated as.
func (w *caller) resolveACL(acl []jute.ACL) ([]jute.ACL, jute.Code) {
	var out []jute.ACL
	seen := map[jute.ACL]bool{}
	for _, a := range acl {
		if seen[a] {
			continue
		}
		seen[a] = true
		switch {
		case a.Scheme == "world" && a.ID == "anyone":
			out = append(out, a)
		case a.Scheme == "auth":
			before := len(out)
			for _, have := range w.ids {
				if have.scheme == "digest" {
					out = append(out, jute.ACL{Perms: a.Perms, Scheme: have.scheme, ID: have.id})
				}
			}
			if len(out) == before {
				return nil, jute.InvalidACL
			}
		case a.Scheme == "digest" && strings.Count(strings.TrimRight(a.ID, ":"), ":") == 1:
			out = append(out, a)
		case a.Scheme == "ip":
			if _, ok := parseNet(a.ID); !ok {
				return nil, jute.InvalidACL
			}
			out = append(out, a)
		default:
			return nil, jute.InvalidACL
		}
	}
	switch {
	case len(out) == 0:
		return nil, jute.InvalidACL
	case len(out) == 1 && out[0] == sharedACL[0]:
		return sharedACL, jute.OK
	default:
		return out, jute.OK
	}
}

// authenticate adds what the credential proves. It reports false for a scheme that
// the server does not know.
func (w *caller) authenticate(scheme string, auth []byte, super string) bool {
	switch scheme {
	case "digest":
		id := identity{scheme: scheme, id: digestID(string(auth))}
		if id.id == super {
			w.add(identity{scheme: superScheme})
		}
		w.add(id)
		return true
	case "ip":
		return true // the connection has its address already
	default:
		return false
	}
}

func (w *caller) add(id identity) {
	if !slices.Contains(w.ids, id) {
		w.ids = append(w.ids, id)
	}
}

// digestID is how a server writes the credential "user:password".
func digestID(userPassword string) string {
	user, _, _ := strings.Cut(userPassword, ":")
	sum := sha1.Sum([]byte(userPassword))
	return user + ":" + base64.StdEncoding.EncodeToString(sum[:])
}

// maskDigests hides the hashes of digest entries from those who may read but not change the list.
func maskDigests(acl []jute.ACL) []jute.ACL {
	out := slices.Clone(acl)
	for i := range out {
		if out[i].Scheme == "digest" {
			user, _, _ := strings.Cut(out[i].ID, ":")
			out[i].ID = user + ":x"
		}
	}
	return out
}
