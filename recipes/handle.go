package recipes

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
)

// GrantHandle is a grant written down: what [Resume] needs to take it up again in
// the session that it belongs to, in this process or the next. It holds no secret;
// the session's handle does (client.SessionHandle). The zero value is no handle. A
// plain value, comparable and safe for concurrent use.
type GrantHandle struct {
	path    string
	more    string // the names of its other nodes, each with a slash before it
	token   int64
	node    int64 // czxid: the token, but for what was downgraded
	session int64
}

const (
	grantKind = "zookit-grant-1"
	// downgradedKind is that of a grant that was downgraded, with the node's czxid behind the token.
	downgradedKind = "zookit-grant-2"
	wideKind       = "zookit-grant-3" // of a grant that has several nodes
	maxHandle      = 4 << 20
)

// Handle writes the grant down. It says nothing about whether the grant is still held, and
// may be called after its end: after client.Client.Detach, for example.
func (g *Grant) Handle() GrantHandle {
	h := GrantHandle{path: g.path, token: g.token, node: g.node, session: g.session.ID()}
	for _, p := range g.more {
		h.more += "/" + path.Base(p.path)
	}
	return h
}

// Path returns the path of the grant's node, the first one of several, within the chroot of the
// client that acquired it.
func (h GrantHandle) Path() string { return h.path }

// paths are those of all nodes.
func (h GrantHandle) paths() []string {
	all := []string{h.path}
	if h.more == "" {
		return all
	}
	dir := path.Dir(h.path)
	for name := range strings.SplitSeq(h.more[1:], "/") {
		all = append(all, client.Join(dir, name))
	}
	return all
}

// Token returns the grant's token; see [Grant.Token].
func (h GrantHandle) Token() int64 { return h.token }

// Session returns the id of the session that the grant lives in; 0 for the zero value.
func (h GrantHandle) Session() int64 { return h.session }

// String describes the handle.
func (h GrantHandle) String() string {
	return fmt.Sprintf("grant %s (token %d, session %#x)", h.path, h.token, uint64(h.session))
}

// MarshalText writes the handle as one line of text without an end of line. The error, for
// the zero value, is client.ErrBadArgument.
func (h GrantHandle) MarshalText() ([]byte, error) {
	if h.session == 0 {
		return nil, fmt.Errorf("%w: the grant handle is the zero value", client.ErrBadArgument)
	}
	var line []byte
	switch session, nodes := uint64(h.session), url.PathEscape(h.path); {
	case h.more != "":
		line = fmt.Appendf(nil, wideKind+" %x %x %s %s", session, h.token, nodes, url.PathEscape(h.more))
	case h.node != h.token:
		line = fmt.Appendf(nil, downgradedKind+" %x %x %x %s", session, h.token, h.node, nodes)
	default:
		line = fmt.Appendf(nil, grantKind+" %x %x %s", session, h.token, nodes)
	}
	return fmt.Appendf(line, " %08x", crc32.ChecksumIEEE(line)), nil
}

// UnmarshalText reads what MarshalText has written; white space around it is ignored.
// Anything else is client.ErrBadArgument, and leaves the handle as it was.
func (h *GrantHandle) UnmarshalText(text []byte) error {
	text = bytes.TrimSpace(text)
	var (
		kind  string
		read  GrantHandle
		nodes [2]string
		id    uint64
		sum   uint32
		err   error
	)
	in := string(text[:min(len(text), maxHandle)])
	switch {
	case strings.HasPrefix(in, wideKind):
		_, err = fmt.Sscanf(in, "%s %x %x %s %s %x", &kind, &id, &read.token, &nodes[0], &nodes[1], &sum)
		read.node = read.token
	case strings.HasPrefix(in, downgradedKind):
		_, err = fmt.Sscanf(in, "%s %x %x %x %s %x", &kind, &id, &read.token, &read.node, &nodes[0], &sum)
	default:
		_, err = fmt.Sscanf(in, "%s %x %x %s %x", &kind, &id, &read.token, &nodes[0], &sum)
		read.node = read.token
	}
	read.session = int64(id)
	if err == nil {
		read.path, err = url.PathUnescape(nodes[0])
	}
	if err == nil {
		read.more, err = url.PathUnescape(nodes[1])
	}
	if err == nil && read.token > 0 && read.node > 0 && read.valid() {
		// What is written again tells all else: the kind, the sum, and that nothing is left over.
		if again, err := read.MarshalText(); err == nil && bytes.Equal(again, text) {
			*h = read
			return nil
		}
	}
	return fmt.Errorf("%w: the text is no grant handle, or not a whole one (one line that begins with %s, %s or %s)", client.ErrBadArgument, grantKind, downgradedKind, wideKind)
}

// valid tells whether the nodes can be.
func (h GrantHandle) valid() bool {
	if h.more != "" && !strings.HasPrefix(h.more, "/") {
		return false
	}
	return !slices.ContainsFunc(h.paths(), func(p string) bool { return client.CheckPath(p) != nil })
}
