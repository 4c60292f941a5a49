package models

import (
	"fmt"

	"github.com/zookit/zookit/integration/faults/history"
)

// Rules of documents that are written, updated, rolled back and watched.
const (
	RuleWritten  = "a document is what somebody wrote, and nothing that failed"
	RuleOneStory = "a version of a document is the same to all"
	RuleBad      = "a bad document never comes into force"
	RuleUpdate   = "an update replaces what it was made from"
	RuleOnce     = "a document is written once for each write"
	RuleKept     = "a write that was acknowledged has been the document"
	RuleOwn      = "who has written has that, or what is newer, at hand"
)

// Operations on documents; their arguments are a [DocumentWrite].
const (
	// SetDocument replaces whatever is there, UpdateDocument what it was made from, RollBackDocument writes a former one
	// again, and SpoilDocument writes one that cannot be read or is not valid.
	SetDocument      = "set-document"
	UpdateDocument   = "update-document"
	RollBackDocument = "roll-back-document"
	SpoilDocument    = "spoil-document"
)

// DocumentWrite names what is written.
type DocumentWrite struct {
	Key string `json:"key"`
	// ID is that of the document that is written: of one that is rolled back to, that one's. Each write but
	// RollBackDocument has an ID of its own.
	ID string `json:"id"`
}

// Notes about documents.
const (
	// SeenDocument is noted by who watches; its arguments are a [Document].
	SeenDocument = "seen-document"
	// ReadDocument is noted of a version that was read, in the history say; its arguments are a [Document], of Look 0.
	ReadDocument = "read-document"
	// OwnDocument is noted about an acknowledged write, with what was at hand when it had returned; its arguments are a [Document].
	OwnDocument = "own-document"
)

// Document is a version of a document.
type Document struct {
	// Look numbers what each client watches with: within one it does not go back.
	Look int64  `json:"look,omitempty"`
	Key  string `json:"key"`
	// Number counts the versions from 0, and Zxid is the transaction; 0 of the default, which is in force while there is no
	// document.
	Number int32 `json:"number"`
	Zxid   int64 `json:"zxid"`
	// ID tells documents apart, and Base is that of the one it was made from by an update.
	ID   string `json:"id"`
	Base string `json:"base,omitempty"`
	// Bad tells that it cannot be read or is not valid; Force that it is in force all the same.
	Bad   bool `json:"bad,omitempty"`
	Force bool `json:"force,omitempty"`
}

// documents is what a history tells of the documents.
type documents struct {
	writes   map[string]*documentWrites    // by ID
	versions map[string]map[int32]Document // by key and number
	first    string                        // the ID of the documents that were there before all
	out      []Violation
}

// documentWrites are the operations that write one ID.
type documentWrites struct {
	key     string
	invoked int64 // when its write began
	failed  bool  // that was certainly not done
	done    bool  // that was acknowledged
	again   int   // roll-backs to it that may have been done
	againOK int   // those of them that were acknowledged
}

// Documents checks what is written and watched by their versions; first is the ID of those that were there before.
func Documents(h *history.History, first string) []Violation {
	d := &documents{writes: map[string]*documentWrites{}, versions: map[string]map[int32]Document{}, first: first}
	ops := h.Operations()
	if err := d.readWrites(ops); err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	if err := d.readVersions(h); err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	d.checkVersions()
	if err := d.checkOwn(ops); err != nil {
		return []Violation{{Rule: RuleHistory, Text: err.Error()}}
	}
	return append(d.out, Watched(h)...)
}

func (d *documents) violated(rule, format string, args ...any) {
	d.out = append(d.out, Violation{Rule: rule, Text: fmt.Sprintf(format, args...)})
}

func (d *documents) readWrites(ops []*history.Operation) error {
	for _, o := range ops {
		switch o.Name {
		case SetDocument, UpdateDocument, SpoilDocument, RollBackDocument:
		default:
			continue
		}
		var args DocumentWrite
		if err := o.ArgsInto(&args); err != nil {
			return err
		}
		if o.Name != RollBackDocument {
			w := d.of(args.Key, args.ID)
			w.invoked, w.failed = o.Invoked, o.Outcome == history.Fail
			w.done = o.Outcome == history.OK
		}
	}
	for _, o := range ops { // once all IDs are known
		var args DocumentWrite
		if o.Name != RollBackDocument || o.Outcome == history.Fail || o.ArgsInto(&args) != nil {
			continue
		}
		w := d.of(args.Key, args.ID)
		w.again++
		if o.Outcome == history.OK {
			w.againOK++
		}
	}
	return nil
}

func (d *documents) of(key, id string) *documentWrites {
	name := key + "\x00" + id
	if d.writes[name] == nil {
		d.writes[name] = &documentWrites{key: key}
	}
	return d.writes[name]
}

// readVersions learns all versions that anybody has seen, and checks what can be told from one alone.
func (d *documents) readVersions(h *history.History) error {
	type look struct {
		client, key string
		look        int64
	}
	last := map[look]Document{}
	for _, e := range h.Events {
		if e.Kind != history.Note || e.Name != SeenDocument && e.Name != ReadDocument {
			continue
		}
		var doc Document
		if err := e.Into(&doc); err != nil {
			return err
		}
		if doc.Look != 0 {
			k := look{e.Client, doc.Key, doc.Look}
			if l := last[k]; doc.Zxid < l.Zxid {
				d.violated(RuleForward, "%s was shown %s of %#x at %v, after %s of %#x", e.Client, doc.ID, doc.Zxid, duration(e.Time), l.ID, l.Zxid)
			}
			last[k] = doc
		}
		if doc.Bad && doc.Force {
			d.violated(RuleBad, "%s had version %d of %s, %q, in force at %v", e.Client, doc.Number, doc.Key, doc.ID, duration(e.Time))
		}
		if doc.Zxid != 0 {
			d.learn(e, doc)
		}
	}
	return nil
}

// learn takes note of a version.
func (d *documents) learn(e history.Event, doc Document) {
	if d.versions[doc.Key] == nil {
		d.versions[doc.Key] = map[int32]Document{}
	}
	known, ok := d.versions[doc.Key][doc.Number]
	switch {
	case ok && (known.Zxid != doc.Zxid || known.ID != doc.ID):
		d.violated(RuleOneStory, "version %d of %s was %s (transaction %#x), and to %s at %v it was %s (%#x)",
			doc.Number, doc.Key, known.ID, known.Zxid, e.Client, duration(e.Time), doc.ID, doc.Zxid)
	case !ok:
		d.versions[doc.Key][doc.Number] = doc
	}
	if ok || doc.ID == d.first {
		return
	}
	w := d.writes[doc.Key+"\x00"+doc.ID]
	switch {
	case w == nil || w.invoked > e.Time || w.invoked == 0:
		d.violated(RuleWritten, "%s saw %q as version %d of %s at %v, which nobody had written", e.Client, doc.ID, doc.Number, doc.Key, duration(e.Time))
	case w.failed:
		d.violated(RuleWritten, "%s saw %q as version %d of %s at %v, the write of which has failed", e.Client, doc.ID, doc.Number, doc.Key, duration(e.Time))
	}
}
