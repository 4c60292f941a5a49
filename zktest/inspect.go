package zktest

import (
	"slices"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// getEphemerals returns what the session owns below a prefix, which is compared by
// characters, not by nodes. Nothing, the root and blanks are any.
func (s *Server) getEphemerals(c *conn, prefix string) result {
	blank := strings.TrimFunc(prefix, func(r rune) bool { return r <= ' ' })
	if blank == "" || blank == "/" {
		prefix = ""
	}
	paths := []string{}
	for path := range c.door.view().ephemerals[c.who.session] {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return result{body: &jute.ChildrenReply{Children: paths}}
}

// countBelow returns how many nodes are below one, at any depth. What the caller may not
// read counts too. The empty path is the root, which then counts itself.
func (s *Server) countBelow(c *conn, path string) result {
	n := c.door.view().find(path)
	switch {
	case n == nil:
		return result{code: jute.NoNode}
	case !c.who.may(n.acl, permRead):
		return result{code: jute.NoAuth}
	}
	count := 0
	for p := range c.door.view().nodes {
		if path == "/" && p != "/" || path != "/" && strings.HasPrefix(p, path+"/") {
			count++
		}
	}
	return result{body: &jute.CountReply{Count: int32(count)}}
}

// whoAmI returns what the connection has shown itself to be, without secrets.
func (w *caller) whoAmI() result {
	out := &jute.WhoAmIReply{Identities: []jute.ClientInfo{}}
	for _, have := range w.ids {
		user := have.id
		if have.scheme == "digest" {
			user, _, _ = strings.Cut(user, ":")
		}
		out.Identities = append(out.Identities, jute.ClientInfo{Scheme: have.scheme, User: user})
	}
	return result{body: out}
}
