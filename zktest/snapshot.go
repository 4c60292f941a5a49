package zktest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Save writes the tree as a document that [Server.Load] takes, in lines that are easy to compare,
// and the same for the same tree. What Load would do by itself is left out. Ephemeral nodes
// are not in it, since they belong to a session, nor are the server's own below /zookeeper,
// nor versions, zxids and times. A container whose children are all ephemeral is saved as one
// that has not had any: its numbers begin again. Data that a client gave as null comes
// back empty.
//
// A tree beyond the limits of Load is an error, and so is what w returns.
func (s *Server) Save(w io.Writer) error {
	text, err := s.snapshot()
	if err != nil {
		return fmt.Errorf("zktest: save: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("zktest: save: writing the document: %w", err)
	}
	return nil
}

func (s *Server) snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &printer{tree: s.tree}
	if err := p.node("/", s.tree.find("/"), 0); err != nil {
		return nil, err
	}
	p.out.WriteByte('\n')
	return p.out.Bytes(), nil
}

// printer writes a tree as a document.
type printer struct {
	tree     *tree
	out      bytes.Buffer
	contents int
}

// node writes the value of a node, indented by its depth.
func (p *printer) node(path string, n *node, depth int) error {
	p.contents += len(path) + len(n.data)
	if p.out.Len()+2*depth >= maxDocument || p.contents > maxContents {
		return fmt.Errorf("the tree is too large for a document of %d bytes with paths and data of %d", maxDocument, maxContents)
	}
	names := p.lasting(path, n)
	fields := p.fields(n, names)
	if len(names) == 0 && path != "/" && (len(fields) == 0 || len(fields) == 1 && fields[0].key == keyData) {
		p.out.Write(quote(string(n.data)))
		return nil
	}
	p.out.WriteByte('{')
	separator := "\n"
	key := func(name string) {
		p.out.WriteString(separator)
		separator = ",\n"
		p.out.WriteString(strings.Repeat("  ", depth+1))
		p.out.Write(quote(name))
		p.out.WriteString(": ")
	}
	for _, f := range fields {
		key(f.key)
		p.out.Write(f.value)
	}
	for _, name := range names {
		key("/" + name)
		child := strings.TrimSuffix(path, "/") + "/" + name
		if err := p.node(child, p.tree.find(child), depth+1); err != nil {
			return err
		}
	}
	if separator != "\n" {
		p.out.WriteByte('\n')
		p.out.WriteString(strings.Repeat("  ", depth))
	}
	p.out.WriteByte('}')
	return nil
}

// lasting returns the names of the children that are in a document.
func (p *printer) lasting(path string, n *node) []string {
	return slices.DeleteFunc(n.names(), func(name string) bool {
		child := strings.TrimSuffix(path, "/") + "/" + name
		return child == "/zookeeper" || p.tree.find(child).ephemeral()
	})
}

// field is an attribute of a node, as JSON.
type field struct {
	key   string
	value []byte
}

// fields returns what a node has that Load would not give it by itself.
func (p *printer) fields(n *node, names []string) []field {
	var out []field
	switch {
	case len(n.data) == 0:
	case utf8.Valid(n.data):
		out = append(out, field{keyData, quote(string(n.data))})
	default:
		out = append(out, field{keyBase64, quote(base64.StdEncoding.EncodeToString(n.data))})
	}
	container := n.stat.EphemeralOwner == containerOwner
	if container {
		out = append(out, field{keyContainer, []byte("true")})
	}
	if ttl := n.ttl(); ttl > 0 {
		out = append(out, field{keyTTL, quote((time.Duration(ttl) * time.Millisecond).String())})
	}
	if !slices.Equal(n.acl, openACL()) {
		list := make([][]byte, len(n.acl))
		for i, a := range n.acl {
			list[i] = quote(formatACL(a))
		}
		out = append(out, field{keyACL, slices.Concat([]byte("["), bytes.Join(list, []byte(", ")), []byte("]"))})
	}
	next := int32(len(names))
	for _, name := range names {
		next = max(next, sequenceAfter(name))
	}
	if n.stat.Cversion != next && !(container && len(names) == 0) {
		out = append(out, field{keySequence, strconv.AppendInt(nil, int64(n.stat.Cversion), 10)})
	}
	return out
}

// quote writes text as JSON, as readable as it can be.
func quote(text string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string into memory
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
