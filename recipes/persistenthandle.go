package recipes

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/url"

	"github.com/zookit/zookit/client"
)

// PersistentHandle is a [Persistent] written down: what [OpenPersistent] needs to take it up again,
// wherever. It holds no secret. The zero value is no handle. A plain value, comparable and safe for
// concurrent use.
type PersistentHandle struct {
	path  string
	token int64
}

const persistentKind = "zookit-persistent-1"

// Path returns the path of the node, within the chroot of the client that acquired it.
func (h PersistentHandle) Path() string { return h.path }

// Token returns the token; see [Persistent.Token].
func (h PersistentHandle) Token() int64 { return h.token }

// String describes the handle.
func (h PersistentHandle) String() string {
	return fmt.Sprintf("persistent %s (token %d)", h.path, h.token)
}

// MarshalText writes the handle as one line of text without an end of line. The error, for
// the zero value, is client.ErrBadArgument.
func (h PersistentHandle) MarshalText() ([]byte, error) {
	if h.token == 0 {
		return nil, fmt.Errorf("%w: the persistent handle is the zero value", client.ErrBadArgument)
	}
	line := fmt.Appendf(nil, persistentKind+" %x %s", h.token, url.PathEscape(h.path))
	return fmt.Appendf(line, " %08x", crc32.ChecksumIEEE(line)), nil
}

// UnmarshalText reads what MarshalText has written; white space around it is ignored.
// Anything else is client.ErrBadArgument, and leaves the handle as it was.
func (h *PersistentHandle) UnmarshalText(text []byte) error {
	text = bytes.TrimSpace(text)
	var (
		token int64
		path  string
		sum   uint32
	)
	_, err := fmt.Sscanf(string(text[:min(len(text), maxHandle)]), persistentKind+" %x %s %x", &token, &path, &sum)
	if err == nil {
		path, err = url.PathUnescape(path)
	}
	if err == nil && token > 0 && client.CheckPath(path) == nil {
		read := PersistentHandle{path: path, token: token}
		if again, err := read.MarshalText(); err == nil && bytes.Equal(again, text) {
			*h = read
			return nil
		}
	}
	return fmt.Errorf("%w: the text is no persistent handle, or not a whole one (one line that begins with %s)", client.ErrBadArgument, persistentKind)
}
