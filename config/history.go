package config

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// A document's history is in a directory of its own, far from the document, where nobody meets it who
// watches or lists the settings. Each record is what one write has replaced:
//
//	/zookit/history/%2Fconfig%2Flimits/v<czxid>-<version>-<id>   the document of that version
//	/zookit/history/%2Fconfig%2Flimits/n<zxid>-00000000-<id>     there was none; zxid is older than the document that was made
//
// in hexadecimal, with a random id, which makes the write recognisable. A record's data is
// one line of JSON about the version, and then the document as it was; its ACL is the document's.

// Revision is a former version of a document.
type Revision[T any] struct {
	// ID names it for [Document.RollBack].
	ID string
	// Version is what it was; without Exists the revision says that there was no document.
	Version Version
	// Replaced is when something else took its place, by the leader's clock.
	Replaced time.Time
	// Value is what it says, without what environment and command line say, and Err why it says nothing
	// ([ErrBadDocument]). Data is the document.
	Value T
	Err   error
	Data  []byte
}

// History returns what writes with this package have replaced, the newest first. What others have written is there
// only if such a write has replaced it. It costs one read, and one more for each revision. Errors: client.ErrNoAuth, and those common to
// all operations.
func (d *Document[T]) History(ctx context.Context) ([]Revision[T], error) {
	if d.err != nil {
		return nil, d.err
	}
	out, err := d.history(ctx)
	return out, d.failed(err)
}

func (d *Document[T]) history(ctx context.Context) ([]Revision[T], error) {
	names, err := d.records(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	slices.Reverse(names)
	b := d.cl.Batch()
	for _, name := range names {
		b.Get(client.Join(d.historyDir(), name))
	}
	results, err := b.Do(ctx)
	if len(results) == 0 {
		return nil, err
	}
	var out []Revision[T]
	for i, res := range results {
		switch {
		case errors.Is(res.Err, client.ErrNoNode): // trimmed meanwhile
		case res.Err != nil:
			return nil, res.Err
		default:
			out = append(out, d.revision(names[i], res.Data, res.Stat))
		}
	}
	return out, nil
}

func (d *Document[T]) revision(name string, data []byte, stat client.Stat) Revision[T] {
	r := Revision[T]{ID: name, Replaced: stat.Ctime}
	var err error
	if r.Version, r.Data, err = decodeRecord(data); err != nil {
		r.Err = fmt.Errorf("%w: %w", ErrBadDocument, err)
		return r
	}
	if r.Version.Exists {
		r.Value, r.Err = d.set.decode(r.Data)
	}
	return r
}

// RollBack makes a revision's document the present one again, byte for byte. It is a write like others: what it replaces goes into
// the history. Errors: [ErrNoRevision]; [ErrBadDocument] if it could not come into force; those of [Document.Set].
func (d *Document[T]) RollBack(ctx context.Context, id string) error {
	_, err := d.rollBack(ctx, id)
	return err
}

func (d *Document[T]) rollBack(ctx context.Context, id string) (zxid int64, err error) {
	if d.err != nil {
		return 0, d.err
	}
	if _, ok := parseRecord(id); !ok {
		return 0, d.failed(fmt.Errorf("%w: %q is not the ID of a Revision", ErrNoRevision, id))
	}
	data, stat, err := d.cl.Get(ctx, client.Join(d.historyDir(), id))
	if errors.Is(err, client.ErrNoNode) {
		return 0, d.failed(fmt.Errorf("%w: %s", ErrNoRevision, id))
	}
	if err != nil {
		return 0, d.failed(err)
	}
	r := d.revision(id, data, stat)
	switch {
	case r.Err != nil:
		return 0, d.failed(r.Err)
	case !r.Version.Exists:
		return 0, d.failed(fmt.Errorf("%w: at %s there was no document", ErrNoRevision, id))
	}
	return d.replace(ctx, nil, func(state) ([]byte, error) { return r.Data, nil })
}

func (d *Document[T]) historyDir() string {
	escaped := strings.NewReplacer("%", "%25", "/", "%2F").Replace(d.path)
	return client.Join(d.set.historyRoot, escaped)
}

// records returns the names of the records, the oldest first.
func (d *Document[T]) records(ctx context.Context) ([]string, error) {
	names, _, err := d.cl.Children(ctx, d.historyDir())
	if errors.Is(err, client.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, ok := parseRecord(name)
		return !ok
	})
	slices.SortFunc(names, func(a, b string) int {
		ka, _ := parseRecord(a)
		kb, _ := parseRecord(b)
		switch {
		case ka.less(kb):
			return -1
		case kb.less(ka):
			return 1
		default:
			return strings.Compare(a, b)
		}
	})
	return names, nil
}

// trim deletes what is more than is to be kept. What fails is left to the next write.
func (d *Document[T]) trim(ctx context.Context) {
	names, err := d.records(ctx)
	if err != nil || len(names) <= d.set.keep {
		return
	}
	b := d.cl.Batch()
	for _, name := range names[:len(names)-d.set.keep] {
		b.Delete(client.Join(d.historyDir(), name), client.AnyVersion)
	}
	if _, err := b.Do(ctx); err != nil && !errors.Is(err, client.ErrNoNode) {
		d.cl.Logger().Debug("old revisions are left", "path", d.path, "err", err)
	}
}

// record is a node of the history that is to be made.
type record struct {
	dir, path string
	key       recordKey
	data      []byte
	acl       []client.CreateOption
}

// recordKey orders records: by the transaction that created the document, then by its version.
type recordKey struct {
	zxid    int64
	exists  bool
	version int32
}

func (k recordKey) less(other recordKey) bool {
	switch {
	case k.zxid != other.zxid:
		return k.zxid < other.zxid
	case k.exists != other.exists:
		return !k.exists
	default:
		return k.version-other.version < 0 // versions wrap around
	}
}

// record makes the record of what is about to be replaced.
func (d *Document[T]) record(ctx context.Context, s state) (record, error) {
	r := record{dir: d.historyDir(), key: recordKey{s.stat.Czxid, s.exists, s.stat.Version}}
	if s.exists {
		acl, _, err := d.cl.GetACL(ctx, d.path)
		if errors.Is(err, client.ErrNoNode) {
			return r, errRaced
		}
		if err != nil {
			return r, err
		}
		r.acl = append(r.acl, client.WithACL(acl...))
	} else {
		// The parent's children have changed since any former document was deleted.
		parent, ok, err := d.cl.Exists(ctx, parentOf(d.path))
		if err == nil && !ok {
			if err = d.makeDir(ctx, parentOf(d.path)); err == nil {
				parent, _, err = d.cl.Exists(ctx, parentOf(d.path))
			}
		}
		if err != nil {
			return r, err
		}
		r.key.zxid = parent.Pzxid
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	r.path = client.Join(r.dir, formatRecord(r.key, hex.EncodeToString(id[:])))
	r.data = encodeRecord(s)
	return r, nil
}

func formatRecord(k recordKey, id string) string {
	kind := 'n'
	if k.exists {
		kind = 'v'
	}
	return fmt.Sprintf("%c%016x-%08x-%s", kind, uint64(k.zxid), uint32(k.version), id)
}

// parseRecord reads a record's name; ok is false for names that are none.
func parseRecord(name string) (k recordKey, ok bool) {
	if len(name) != 1+16+1+8+1+32 || name[0] != 'v' && name[0] != 'n' || name[17] != '-' || name[26] != '-' {
		return k, false
	}
	zxid, err := strconv.ParseUint(name[1:17], 16, 64)
	if err != nil {
		return k, false
	}
	version, err := strconv.ParseUint(name[18:26], 16, 32)
	if err != nil {
		return k, false
	}
	if _, err := hex.DecodeString(name[27:]); err != nil {
		return k, false
	}
	return recordKey{int64(zxid), name[0] == 'v', int32(uint32(version))}, true
}

// recordHeader is the first line of a record.
type recordHeader struct {
	Exists   bool      `json:"exists"`
	Number   int32     `json:"version"`
	Zxid     int64     `json:"zxid"`
	Modified time.Time `json:"modified,omitzero"`
}

func encodeRecord(s state) []byte {
	v := s.version()
	line, err := json.Marshal(recordHeader{v.Exists, v.Number, v.Zxid, v.Modified.UTC()})
	if err != nil { // a year beyond 9999
		line, _ = json.Marshal(recordHeader{v.Exists, v.Number, v.Zxid, time.Time{}})
	}
	return append(append(line, '\n'), s.data...)
}

func decodeRecord(data []byte) (Version, []byte, error) {
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	if !ok {
		return Version{}, nil, errors.New("the record has no first line of its own")
	}
	var h recordHeader
	if err := json.Unmarshal(line, &h); err != nil {
		return Version{}, nil, fmt.Errorf("the record's first line: %w", err)
	}
	return Version(h), rest, nil
}
