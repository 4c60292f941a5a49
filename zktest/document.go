package zktest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zookit/zookit/internal/jute"
)

// Limits of a document: its own length, and that of all the paths and data in it.
const (
	maxDocument = 16 << 20
	maxContents = 16 << 20
)

// The keys of a node in a document; every other one begins with a slash and is a path.
const (
	keyData      = "data"
	keyBase64    = "base64"
	keyContainer = "container"
	keyTTL       = "ttl"
	keyACL       = "acl"
	keySequence  = "nextSequence"
)

// document is a tree as text, as [Server.Load] describes it. Parents come before their children.
type document struct {
	text  []byte
	nodes []*entry
}

// entry is a node of a document.
type entry struct {
	path   string
	offset int64 // in the text, for errors
	// implied tells that it is there only for the sake of a node below.
	implied   bool
	data      []byte // nil unless given
	container bool
	ttl       int64      // milliseconds; 0 is none
	acl       []jute.ACL // nil unless given
	sequence  *int32
}

// errorf says what is wrong at an offset of the text.
func (d *document) errorf(offset int64, path, format string, args ...any) error {
	offset = min(max(offset, 0), int64(len(d.text)))
	line := 1 + bytes.Count(d.text[:offset], []byte("\n"))
	if len(path) > 200 {
		path = path[:200] + "..."
	}
	return fmt.Errorf("line %d, node %q: %w", line, path, fmt.Errorf(format, args...))
}

// reader reads a document token by token, since a decoder of whole values would take the
// last of several values of one key without a word.
type reader struct {
	*document
	dec      *json.Decoder
	seen     map[string]*entry
	contents int
}

// parseDocument reads a document and checks all that does not depend on the tree it is for.
func parseDocument(text []byte) (*document, error) {
	switch {
	case len(text) > maxDocument:
		return nil, fmt.Errorf("the document is longer than %d bytes, which is the limit", maxDocument)
	case !utf8.Valid(text):
		return nil, errors.New("the document is not UTF-8: write data that is not as base64")
	}
	r := &reader{document: &document{text: text}, dec: json.NewDecoder(bytes.NewReader(text)), seen: map[string]*entry{}}
	r.dec.UseNumber() // which takes every number: that none is wanted is said elsewhere
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return nil, r.errorf(0, "/", "the document is not a JSON object: the least is {}")
	}
	root, err := r.enter("/", false)
	if err != nil {
		return nil, err
	}
	if err := r.node(root); err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.errorf(r.dec.InputOffset(), "/", "something follows the end of the document")
	}
	return r.document, nil
}

// token returns the next token; the end of the text is an error.
func (r *reader) token(path string) (json.Token, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, r.syntax(path, err)
	}
	return tok, nil
}

func (r *reader) syntax(path string, err error) error {
	offset := r.dec.InputOffset()
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return r.errorf(offset, path, "not JSON: %w", bad)
	}
	return r.errorf(offset, path, "not JSON: the document ends too early")
}

// enter notes a node. It may have been implied before, but not given.
func (r *reader) enter(path string, implied bool) (*entry, error) {
	offset := r.dec.InputOffset()
	e := r.seen[path]
	switch {
	case e == nil:
	case implied:
		return e, nil
	case !e.implied:
		return nil, r.errorf(offset, path, "the node is there twice")
	default:
		e.implied, e.offset = false, offset
		return e, nil
	}
	if err := r.grow(path, len(path)); err != nil {
		return nil, err
	}
	e = &entry{path: path, offset: offset, implied: implied}
	r.seen[path] = e
	r.nodes = append(r.nodes, e)
	return e, nil
}

// grow bounds what a short document can make of memory: each node has its whole path.
func (r *reader) grow(path string, n int) error {
	if r.contents += n; r.contents > maxContents {
		return r.errorf(r.dec.InputOffset(), path, "paths and data come to more than %d bytes, which is the limit", maxContents)
	}
	return nil
}

// node reads the value of a node: text, or an object.
func (r *reader) node(e *entry) error {
	tok, err := r.token(e.path)
	if err != nil {
		return err
	}
	switch tok := tok.(type) {
	case string:
		e.data = []byte(tok)
		return r.grow(e.path, len(e.data))
	case json.Delim:
		if tok == '{' {
			return r.object(e)
		}
	}
	return r.errorf(r.dec.InputOffset(), e.path, "want a string, which is the node's data, or an object")
}

func (r *reader) object(e *entry) error {
	given := map[string]bool{}
	for r.dec.More() {
		tok, err := r.token(e.path)
		if err != nil {
			return err
		}
		key, _ := tok.(string) // an object's keys are strings
		if strings.HasPrefix(key, "/") {
			if err := r.below(e.path, key); err != nil {
				return err
			}
			continue
		}
		if given[key] {
			return r.errorf(r.dec.InputOffset(), e.path, "the key %q is there twice", key)
		}
		given[key] = true
		if err := r.attribute(e, key); err != nil {
			return err
		}
	}
	if _, err := r.token(e.path); err != nil {
		return err
	}
	for _, pair := range [][2]string{{keyData, keyBase64}, {keyContainer, keyTTL}} {
		if given[pair[0]] && given[pair[1]] {
			return r.errorf(e.offset, e.path, "%q and %q exclude each other", pair[0], pair[1])
		}
	}
	if e.path == "/" && (e.container || e.ttl != 0) {
		return r.errorf(e.offset, e.path, "the root is a persistent node")
	}
	return nil
}

// below reads a node whose path below another is the key.
func (r *reader) below(parent, key string) error {
	path := strings.TrimSuffix(parent, "/") + key
	switch {
	case key == "/" || !validPath(path):
		return r.errorf(r.dec.InputOffset(), path, "not a valid path")
	case path == "/zookeeper" || strings.HasPrefix(path, "/zookeeper/"):
		return r.errorf(r.dec.InputOffset(), path, "what is below /zookeeper is the server's own")
	}
	for i, c := range key {
		if c == '/' && i > 0 {
			if _, err := r.enter(path[:len(path)-len(key)+i], true); err != nil {
				return err
			}
		}
	}
	e, err := r.enter(path, false)
	if err != nil {
		return err
	}
	return r.node(e)
}

// attributes are what a node can have, each with the form of its value.
var attributes = map[string]string{
	keyData:      "a string",
	keyBase64:    "a string of base64, with padding",
	keyContainer: "true or false",
	keyTTL:       `a string such as "1m30s", from 1ms to 305419h, in whole milliseconds`,
	keyACL:       `strings such as "world:anyone:r" or "digest:user:hash:cdrwa", one at least`,
	keySequence:  "a whole number of 32 bits",
}

// attribute reads the value of a key that is no path.
func (r *reader) attribute(e *entry, key string) error {
	want, known := attributes[key]
	switch {
	case key == "ephemeral":
		return r.errorf(r.dec.InputOffset(), e.path, "a document has no ephemeral nodes, since it has no sessions")
	case !known:
		keys := strings.Join(slices.Sorted(maps.Keys(attributes)), ", ")
		return r.errorf(r.dec.InputOffset(), e.path, "unknown key %q: want one of %s, or a path that begins with a slash", key, keys)
	}
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return r.syntax(e.path, err)
	}
	if !e.assign(key, raw) {
		if len(raw) > 60 {
			raw = append(bytes.ToValidUTF8(raw[:60:60], nil), "..."...)
		}
		return r.errorf(r.dec.InputOffset(), e.path, "%s %s: want %s", key, raw, want)
	}
	if key == keyData || key == keyBase64 {
		return r.grow(e.path, len(e.data))
	}
	return nil
}

// assign sets what the key stands for and reports whether the value is one for it.
func (e *entry) assign(key string, raw json.RawMessage) bool {
	if string(raw) == "null" {
		return false
	}
	var text string
	switch key {
	case keyContainer:
		return json.Unmarshal(raw, &e.container) == nil
	case keySequence:
		return json.Unmarshal(raw, &e.sequence) == nil
	case keyACL:
		var list []string
		return json.Unmarshal(raw, &list) == nil && e.assignACL(list)
	}
	if json.Unmarshal(raw, &text) != nil {
		return false
	}
	switch key {
	case keyTTL:
		d, err := time.ParseDuration(text)
		e.ttl = d.Milliseconds()
		return err == nil && d%time.Millisecond == 0 && e.ttl > 0 && e.ttl <= maxTTLMillis
	case keyBase64:
		data, err := base64.StdEncoding.DecodeString(text)
		e.data = append([]byte{}, data...)
		return err == nil
	default:
		e.data = []byte(text)
		return true
	}
}

func (e *entry) assignACL(list []string) bool {
	for _, text := range list {
		a, ok := parseACL(text)
		if !ok {
			return false
		}
		e.acl = append(e.acl, a)
	}
	_, code := new(caller).resolveACL(e.acl)
	return code == jute.OK
}

// permLetters are the permissions as ZooKeeper's shell writes them, in its order.
var permLetters = []struct {
	letter rune
	perm   int32
}{{'c', permCreate}, {'d', permDelete}, {'r', permRead}, {'w', permWrite}, {'a', permAdmin}}

// parseACL reads scheme:id:permissions. The id may have colons.
func parseACL(text string) (jute.ACL, bool) {
	scheme, rest, _ := strings.Cut(text, ":")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return jute.ACL{}, false
	}
	a := jute.ACL{Scheme: scheme, ID: rest[:i]}
	for _, letter := range rest[i+1:] {
		perm := int32(0)
		for _, p := range permLetters {
			if p.letter == letter {
				perm = p.perm
			}
		}
		if perm == 0 || a.Perms&perm != 0 {
			return jute.ACL{}, false
		}
		a.Perms |= perm
	}
	return a, true
}

// formatACL is the reverse of parseACL.
func formatACL(a jute.ACL) string {
	var perms strings.Builder
	for _, p := range permLetters {
		if a.Perms&p.perm != 0 {
			perms.WriteRune(p.letter)
		}
	}
	return a.Scheme + ":" + a.ID + ":" + perms.String()
}
