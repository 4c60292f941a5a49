package models

import (
	"maps"
	"slices"

	"github.com/zookit/zookit/integration/faults/history"
)

// checkVersions checks the versions of each document together. Those between that nobody has seen are not known: what they
// could have been is allowed.
func (d *documents) checkVersions() {
	for _, key := range slices.Sorted(maps.Keys(d.versions)) {
		versions := d.versions[key]
		numbers := slices.Sorted(maps.Keys(versions))
		times := map[string]int{}
		for i, n := range numbers {
			doc := versions[n]
			if times[doc.ID]++; times[doc.ID] > 1+d.again(key, doc.ID) {
				d.violated(RuleOnce, "version %d of %s is %s, which was the document %d times before, and rolled back to %d times",
					n, key, doc.ID, times[doc.ID]-1, d.again(key, doc.ID))
			}
			if i == 0 {
				continue
			}
			before := versions[numbers[i-1]]
			if before.Zxid >= doc.Zxid {
				d.violated(RuleOneStory, "version %d of %s is of transaction %#x, and version %d of %#x", before.Number, key, before.Zxid, n, doc.Zxid)
			}
			// What was rolled back to has not been made from what it replaces.
			if before.Number == n-1 && doc.Base != "" && doc.Base != before.ID && d.again(key, doc.ID) == 0 {
				d.violated(RuleUpdate, "version %d of %s is %s, which was made from %s and has replaced %s", n, key, doc.ID, doc.Base, before.ID)
			}
		}
		if complete := len(numbers) > 0 && numbers[0] == 0 && int(numbers[len(numbers)-1]) == len(numbers)-1; complete {
			d.checkKept(key, times)
		}
	}
}

// again is how often an ID may have been rolled back to.
func (d *documents) again(key, id string) int {
	if w := d.writes[key+"\x00"+id]; w != nil {
		return w.again
	}
	return 0
}

// checkKept checks, all versions of a document being known, that each acknowledged write is among them.
func (d *documents) checkKept(key string, times map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(d.writes)) {
		w := d.writes[name]
		if w.key != key {
			continue
		}
		id := name[len(key)+1:]
		want := w.againOK
		if w.done || id == d.first {
			want++
		}
		if times[id] < want {
			d.violated(RuleKept, "%s has been the document %s %d times, and %d writes of it were acknowledged", id, key, times[id], want)
		}
	}
}

// checkOwn checks what writers had at hand when their writes had been acknowledged.
func (d *documents) checkOwn(ops []*history.Operation) error {
	for _, o := range ops {
		for _, e := range o.Notes {
			if e.Name != OwnDocument {
				continue
			}
			var args DocumentWrite
			var own Document
			if err := o.ArgsInto(&args); err != nil {
				return err
			}
			if err := e.Into(&own); err != nil {
				return err
			}
			first := int64(0)
			for _, doc := range d.versions[args.Key] {
				if doc.ID == args.ID && (first == 0 || doc.Zxid < first) {
					first = doc.Zxid
				}
			}
			if own.Zxid < first {
				d.violated(RuleOwn, "%s had written %s (transaction %#x), and had %s (%#x) at hand at %v", o.Client, args.ID, first, own.ID, own.Zxid, duration(e.Time))
			}
		}
	}
	return nil
}
